// The card of one model of the zoo: what it is good at, what it costs before the first byte, which engine runs it, and the button that gets
// it. A click downloads a model that fits; where it may not fit, data costs money, or the hub wants a token, the card says so first.
//   data-testid="zoo-model" with data-id, "zoo-part"
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { DeviceSummary } from "#worker/api.ts";
import type { Source, ZooRecord } from "#zoo/record.ts";
import { commandsFor } from "#zoo/commands.ts";
import { costOf, fitOf, parametersOfRecord, runsInTransformersJs } from "#zoo/zoo.ts";
import { CopyButton } from "#ui/parts/CopyButton.tsx";
import { formatNumber, formatSize } from "#ui/parts/format.ts";
import { useTexts, type Texts } from "#ui/texts/texts.ts";
import { fetchedWords, licenseWords } from "./cost-words.ts";
import { LookedUp } from "#ui/models/offer/LookedUp.tsx";
import { ModelCard } from "./ModelCard.tsx";
import type { DownloadProps } from "./ModelZoo.tsx";
import { useModelOffer } from "#ui/models/offer/use-model-offer.ts";

interface ZooCardProps extends DownloadProps {
  readonly record: ZooRecord;
  /** Undefined until it is known. */
  readonly device: DeviceSummary | undefined;
  readonly isBest: boolean;
}

export function ZooCard(props: ZooCardProps): JSX.Element {
  const { record, device, isBest, downloads, onStart } = props;
  const { name, license, researchOnly, goodAt, notYetRun } = record;
  const t = useTexts();
  const nameId = useId();
  const offer = useModelOffer(downloads.lookUp, downloads.hubHost);
  const take = async (source: Source): Promise<void> => {
    const found = await offer.look({ record, source });
    if (found?.fit.verdict === "fits" && !downloads.isMetered()) onStart({ ...found, name });
  };
  const looking = offer.state === "looking";
  const cost = costOf(record, record.sources[0], device?.precision ?? "cpu");
  const verdict = device && fitOf(record, device).verdict;
  return (
    <ModelCard
      testId="zoo-model"
      id={record.id}
      name={name}
      nameId={nameId}
      facts={[goodAt.map((skill) => t.zoo.skills[skill]).join(t.zoo.separator)]}
      badge={isBest ? t.zoo.best : verdict === undefined ? undefined : t.zoo.verdicts[verdict]}
      badgeTone={isBest ? "good" : verdict === "wont-fit" ? "bad" : "plain"}
    >
      <dl class="zoo-costs">
        <Cost label={t.zoo.fetched} value={fetchedWords(t, cost)} />
        <Cost label={t.zoo.kept} value={formatSize(t, cost.kept)} />
        <Cost label={t.zoo.memory} value={formatSize(t, cost.memory)} />
      </dl>
      <p class="zoo-facts">
        {[
          licenseWords(t, license),
          ...(researchOnly ? [t.photos.researchOnly] : []),
          runsInTransformersJs(record) ? t.zoo.engines.onnx : t.zoo.engines.own,
          ...(notYetRun ? [t.zoo.notYetRun] : []),
        ].join(" · ")}
      </p>
      <div class="card-actions">
        {(typeof offer.state === "string" || "problem" in offer.state) && (
          <button
            type="button"
            class={isBest ? "button button-primary" : "button"}
            aria-describedby={nameId}
            disabled={looking}
            onClick={() => void take(record.sources[0])}
          >
            {looking
              ? t.photos.looking
              : cost.known === "exactly"
                ? t.storage.download(formatSize(t, cost.fetched))
                : t.zoo.fetched}
          </button>
        )}
        <ZooDetails record={record} host={downloads.hubHost} onTake={(source) => void take(source)} />
      </div>
      <LookedUp offer={offer} {...props} name={name} />
    </ModelCard>
  );
}

function Cost({ label, value }: { readonly label: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

interface ZooDetailsProps {
  readonly record: ZooRecord;
  /** The host of the hub. */
  readonly host: string;
  readonly onTake: (source: Source) => void;
}

/** Engine, base model, context, published scores, and the sources of its weights. */
function ZooDetails({ record, host, onTake }: ZooDetailsProps): JSX.Element {
  const { name, base, context, scores, scoresFrom, sources } = record;
  const t = useTexts();
  const parameters = parametersOfRecord(record);
  return (
    <details class="zoo-details dialog-details">
      <summary>{t.zoo.details}</summary>
      <p>{runsInTransformersJs(record) ? t.zoo.engineWords.onnx : t.zoo.engineWords.own}</p>
      <dl class="facts">
        <dt>{t.zoo.base}</dt>
        <dd>{base}</dd>
        {parameters !== undefined && <dt>{t.zoo.parameters}</dt>}
        {parameters !== undefined && <dd>{countOf(t, parameters)}</dd>}
        {context !== undefined && <dt>{t.zoo.context}</dt>}
        {context !== undefined && <dd>{t.zoo.tokens(formatNumber(t, context))}</dd>}
      </dl>
      {scores !== undefined && scoresFrom !== undefined && (
        <>
          <p class="zoo-heading">{t.zoo.scores(t.zoo.publishers[scoresFrom])}</p>
          <dl class="zoo-scores">
            {Object.entries(scores).map(([benchmark, score]) => (
              <div key={benchmark}>
                <dt>{benchmark}</dt>
                <dd>{formatNumber(t, score, Number.isInteger(score) ? 0 : 1)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <p class="zoo-heading">{t.zoo.sources}</p>
      <ul class="zoo-sources">
        {sources.map((source) => (
          <li key={`${source.repository}/${source.format}`}>
            <a href={`https://${host}/${source.repository}`} target="_blank" rel="noreferrer">
              {source.repository}
            </a>{" "}
            <button
              type="button"
              class="link-button"
              aria-label={t.zoo.getSource(name, labelOf(t, source))}
              onClick={() => onTake(source)}
            >
              {t.storage.download(labelOf(t, source))}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** "GGUF Q4_0, 4.5 GB". */
function labelOf(t: Texts, source: Source): string {
  const format = t.zoo.formats[source.format] + (source.format === "gguf" ? ` ${source.quantization}` : "");
  return typeof source.bytes === "number" ? `${format}, ${formatSize(t, source.bytes)}` : format;
}

function countOf(t: Texts, parameters: number): string {
  const isSmall = parameters < 1e9;
  const hundredMillions = formatNumber(t, parameters / 1e8, isSmall ? 1 : 0);
  return isSmall
    ? t.zoo.millions(formatNumber(t, parameters / 1e6), hundredMillions)
    : t.zoo.billions(formatNumber(t, parameters / 1e9, 1), hundredMillions);
}

/** What does not answer by itself: the commands that put it together with its base. */
export function ZooPart({ record }: { readonly record: ZooRecord }): JSX.Element {
  const { name, base, license } = record;
  const t = useTexts();
  return (
    <ModelCard testId="zoo-part" id={record.id} name={name} facts={[licenseWords(t, license)]}>
      <Commands about={t.zoo.goesWith(base)} record={record} />
    </ModelCard>
  );
}

function Commands({ about, record }: { readonly about: string; readonly record: ZooRecord }): JSX.Element {
  const t = useTexts();
  const commands = commandsFor(record);
  return (
    <>
      <p class="zoo-facts">{about}</p>
      <div class="zoo-command">
        <code>{commands}</code>
        <CopyButton text={commands} label={t.zoo.copyCommand} />
      </div>
    </>
  );
}
