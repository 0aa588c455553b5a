// The download worker's operations on stored packages: list, verify, forget, export, import, and preview. Knows no Comlink and no page.
import { fetchPackageManifest } from "#weights/download/read-manifest.ts";
import { removePackage } from "#weights/store/stored-package.ts";
import type { FeatureStorage } from "#weights/store/features.ts";
import { hubPrecision, judgeFit, withSpeed, type DeviceFacts, type PackageFacts } from "#weights/fit.ts";
import { hubFacts, packageFacts } from "#weights/package-facts.ts";
import { decoderBytes, estimateTokensPerSecond, isFourBit, type Bandwidth } from "#weights/decode-speed.ts";
import { hubAddress } from "#weights/download/hub-address.ts";
import { planHubPackage } from "#weights/download/hub-plan.ts";
import { exportPackage } from "#weights/export-package.ts";
import { importPackage, openPackage } from "#weights/import-package.ts";
import { listPackages, verifyPackage } from "#weights/inventory.ts";
import { isAdapterManifest, manifestName } from "#weights/manifest.ts";
import type { ShardStore } from "#weights/store/store.ts";
import type { PackageOffer, PackagesApi } from "#worker/api.ts";
import { unlessInUse } from "#worker/package-lock.ts";

export interface PackagesHost {
  readonly store: ShardStore;
  readonly facts: () => Promise<DeviceFacts>;
  /** Memory bandwidth, measured on the first call. Without it no speed is estimated. */
  readonly bandwidth?: () => Promise<Bandwidth>;
  /** Stored image features, which are forgotten together with their package. */
  readonly features?: Pick<FeatureStorage, "forget">;
}

/** Operations that change a package answer "in-use" while it is being downloaded. */
export function createPackagesHost({ store, facts, bandwidth, features }: PackagesHost): PackagesApi {
  const judge = async (
    about: PackageFacts,
    decoder: Decoder,
  ): Promise<Pick<PackageOffer, "fit" | "tokensPerSecond">> => {
    const measured = await bandwidth?.();
    const tokensPerSecond = measured && estimateTokensPerSecond(decoder, measured);
    return { fit: withSpeed(judgeFit(about, await facts()), tokensPerSecond), tokensPerSecond };
  };
  return {
    list: () => listPackages(store),
    verify: (id, onProgress) => unlessInUse(id, () => verifyPackage(store, id, onProgress)),
    forget: (id) =>
      unlessInUse(id, async () => {
        await removePackage(id, store);
        await features?.forget(id);
        return "done" as const;
      }),
    exportPackage: (id) => exportPackage(store, id),
    async importPackage(files) {
      const opened = await openPackage(files);
      if (!opened) return { ok: false, problem: "not-a-package", path: manifestName };
      return unlessInUse(opened.manifest.model.id, () => importPackage(store, opened));
    },
    async device() {
      const known = await facts();
      return { ...known, precision: hubPrecision(known) };
    },
    async preview(baseUrl) {
      try {
        const manifest = await fetchPackageManifest(baseUrl);
        const { name, license, architecture } = manifest.model;
        const about = packageFacts(manifest);
        const decoder = { bytes: decoderBytes(manifest.files), fourBit: isFourBit(manifest) };
        const offer = {
          id: baseUrl,
          name,
          license,
          architecture,
          bytes: about.bytes,
          ...(await judge(about, decoder)),
        };
        return isAdapterManifest(manifest) ? { ...offer, baseName: manifest.adapter.baseName } : offer;
      } catch (error) {
        // A hub repository that was not made for this page has no manifest.
        const address = hubAddress(baseUrl);
        if (!address) throw error;
        const plan = await planHubPackage(address, hubPrecision(await facts()));
        const about = hubFacts(plan);
        const fourBit = plan.dtypes["decoder_model_merged"]?.startsWith("q4") ?? false;
        const { name, license } = plan;
        return {
          id: address.repository,
          name,
          license,
          architecture: "transformers.js",
          bytes: about.bytes,
          ...(await judge(about, { bytes: decoderBytes(plan.files), fourBit })),
        };
      }
    },
  };
}

type Decoder = Parameters<typeof estimateTokensPerSecond>[0];
