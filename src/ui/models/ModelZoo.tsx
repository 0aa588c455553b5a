// The model zoo: a search, filters, and a card for each model that is not on this device.   data-testid="zoo", "zoo-count"
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { PreviewedModel } from "#chat/models/look-up/look-up.ts";
import { bestModelFor } from "#zoo/best-model.ts";
import type { ZooRecord } from "#zoo/record.ts";
import { fitOf, zooModels } from "#zoo/zoo.ts";
import { Section } from "#ui/parts/Dialog.tsx";
import { formatNumber } from "#ui/parts/format.ts";
import { languageNames } from "#ui/parts/language-names.ts";
import { useTexts, type Texts } from "#ui/texts/texts.ts";
import { licenseWords } from "./cost-words.ts";
import type { ModelFeatures } from "./model-features.ts";
import { filterZoo, languagesIn, licensesOf, noFilter, zooParts, type ZooFilter } from "./zoo-filter.ts";
import { ZooCard, ZooPart } from "./ZooCard.tsx";

/** The features for looking up a model elsewhere and for downloading it. */
export interface DownloadProps extends Pick<ModelFeatures, "downloads" | "photoModel" | "storage"> {
  readonly onStart: (model: PreviewedModel) => void;
  readonly onFromMemory: (model: PreviewedModel) => void;
}

/** The best model for the device comes first; what is here already, or on its way, is left out. */
export function ModelZoo(props: DownloadProps): JSX.Element {
  const t = useTexts();
  const [filter, setFilter] = useState<ZooFilter>(noFilter);
  const device = props.photoModel.offer.value?.device;
  const best = device && bestModelFor(device).id;
  const here = new Set([
    ...(props.storage.state.value.stored ?? []).filter(({ complete }) => complete).map(({ id }) => id),
    ...props.downloads.state.value.map(({ id }) => id),
  ]);
  const isMissing = ({ sources }: ZooRecord): boolean => !sources.some(({ repository }) => here.has(repository));
  const fits = (record: ZooRecord): boolean => device === undefined || fitOf(record, device).verdict !== "wont-fit";
  const shown = filterZoo(filter, fits, t).filter(isMissing);
  const ordered = [...shown.filter(({ id }) => id === best), ...shown.filter(({ id }) => id !== best)];
  const all = (filter.family === "parts" ? zooParts : zooModels).filter(isMissing);
  return (
    <Section title={t.zoo.title}>
      <p class="dialog-note">{t.zoo.lead(props.downloads.hubHost)}</p>
      <ZooFilters filter={filter} onChange={setFilter} />
      <p class="dialog-note" role="status" data-testid="zoo-count">
        {shown.length === 0 ? t.zoo.nothing : t.zoo.shown(formatNumber(t, shown.length), formatNumber(t, all.length))}{" "}
        {(shown.length === 0 || filter !== noFilter) && (
          <button type="button" class="link-button" onClick={() => setFilter({ ...noFilter, fitsOnly: false })}>
            {t.zoo.clear}
          </button>
        )}
      </p>
      <ul class="model-cards zoo-cards" data-testid="zoo">
        {ordered.map((record) =>
          record.kind === "model" ? (
            <ZooCard key={record.id} {...props} record={record} device={device} isBest={record.id === best} />
          ) : (
            <ZooPart key={record.id} record={record} />
          ),
        )}
      </ul>
    </Section>
  );
}

interface ZooFiltersProps {
  readonly filter: ZooFilter;
  readonly onChange: (filter: ZooFilter) => void;
}

function ZooFilters({ filter, onChange }: ZooFiltersProps): JSX.Element {
  const t = useTexts();
  const id = useId();
  const change = (changes: Partial<ZooFilter>): void => onChange({ ...filter, ...changes });
  return (
    <div class="zoo-filters" role="search">
      <label class="zoo-search" for={id}>
        <span class="visually-hidden">{t.zoo.search}</span>
        <input
          id={id}
          class="text-input"
          type="search"
          placeholder={t.zoo.searchHint}
          value={filter.words}
          onInput={(event) => change({ words: event.currentTarget.value })}
        />
      </label>
      <div class="zoo-selects">
        <label class="zoo-fits">
          <input
            type="checkbox"
            checked={filter.fitsOnly}
            disabled={filter.family === "parts"}
            onChange={(event) => change({ fitsOnly: event.currentTarget.checked })}
          />
          {t.zoo.fits}
        </label>
        <Select
          label={t.zoo.family}
          value={filter.family}
          options={[...familyOptions(t), ["parts", t.zoo.parts]]}
          onChange={(family) => change({ family })}
        />
        <Select
          label={t.zoo.license}
          value={filter.license}
          options={licensesOf(zooModels).map((license) => [license, licenseWords(t, license)])}
          onChange={(license) => change({ license })}
        />
        <Select
          label={t.zoo.language}
          value={filter.language}
          options={languagesIn(zooModels).map((tag) => [tag, languageNames(t.tag, [tag])])}
          onChange={(language) => change({ language })}
        />
      </div>
    </div>
  );
}

function familyOptions(t: Texts): [ZooRecord["family"], string][] {
  return [...new Set(zooModels.map(({ family }) => family))].map((family) => [family, t.zoo.families[family]]);
}

interface SelectProps<T extends string> {
  readonly label: string;
  readonly value: T | "";
  readonly options: readonly (readonly [T, string])[];
  readonly onChange: (value: T | "") => void;
}

/** "" is all. */
function Select<T extends string>({ label, value, options, onChange }: SelectProps<T>): JSX.Element {
  const t = useTexts();
  return (
    <label class="zoo-select">
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          onChange(options.find(([option]) => option === chosen)?.[0] ?? "");
        }}
      >
        <option value="">{t.zoo.all}</option>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
