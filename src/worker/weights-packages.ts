// The download worker's side of what is stored: listed, verified, forgotten, exported, imported. Knows no Comlink and no page.
import { fetchPackageManifest, removePackage } from "#weights/ensure.ts";
import { hubPrecision, judgeFit, packageFacts, type DeviceFacts } from "#weights/fit.ts";
import { hubAddress, planFacts, planHubPackage, type HubAddress } from "#weights/hub.ts";
import { exportPackage, importPackage, listPackages, openPackage, verifyPackage } from "#weights/inventory.ts";
import { manifestName } from "#weights/manifest.ts";
import type { ShardStore } from "#weights/store.ts";
import type { PackageOffer, PackagesApi } from "./api.ts";
import { packageLock } from "./weights-host.ts";

export interface PackagesHost {
  readonly store: ShardStore;
  readonly facts: () => Promise<DeviceFacts>;
}

/** Whatever changes a package leaves one alone that is being downloaded. */
export function createPackagesHost({ store, facts }: PackagesHost): PackagesApi {
  return {
    list: () => listPackages(store),
    verify: (id, onProgress) => unlessInUse(id, () => verifyPackage(store, id, onProgress)),
    forget: (id) =>
      unlessInUse(id, async () => {
        await removePackage(id, store);
        return "done" as const;
      }),
    exportPackage: (id) => exportPackage(store, id),
    async importPackage(files) {
      const opened = await openPackage(files);
      if (!opened) return { ok: false, problem: "not-a-package", path: manifestName };
      return unlessInUse(opened.manifest.model.id, () => importPackage(store, opened));
    },
    device: async () => ({ precision: hubPrecision(await facts()) }),
    async preview(baseUrl) {
      const device = await facts();
      try {
        const manifest = await fetchPackageManifest(baseUrl);
        const { name, license, architecture } = manifest.model;
        const about = packageFacts(manifest);
        return { id: baseUrl, name, license, architecture, bytes: about.bytes, fit: judgeFit(about, device) };
      } catch (error) {
        // A repository that was not made for this page has no manifest.
        const address = hubAddress(baseUrl);
        if (!address) throw error;
        return await previewHub(address, device);
      }
    },
  };
}

async function previewHub(address: HubAddress, device: DeviceFacts): Promise<PackageOffer> {
  const plan = await planHubPackage(address, hubPrecision(device));
  const about = planFacts(plan);
  const { name, license } = plan;
  const fit = judgeFit(about, device);
  return { id: address.repository, name, license, architecture: "transformers.js", bytes: about.bytes, fit };
}

async function unlessInUse<T>(id: string, work: () => Promise<T>): Promise<T | "in-use"> {
  if (!("locks" in navigator)) return work();
  return navigator.locks.request(packageLock(id), { ifAvailable: true }, (lock) =>
    lock === null ? Promise.resolve("in-use" as const) : work(),
  );
}
