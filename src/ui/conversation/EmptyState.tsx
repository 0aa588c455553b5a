// What a newcomer sees: what this is, how to give it a picture, examples to try, and what the model does not know. Once a picture
// is there, the picture, large, with questions to ask about it.
import type { ComponentChildren, JSX } from "preact";
import type { Example } from "#chat/pictures/examples.web.ts";
import { isOnThisMachine } from "#chat/servers/this-machine.ts";
import type { ModelRecord } from "#zoo/models.ts";
import { LockIcon, PictureIcon, ShapesIcon, SpeechIcon, WarnIcon } from "#ui/parts/icons.tsx";
import { languageNames } from "#ui/parts/language-names.ts";
import type { AskedIn } from "./suggestions.ts";
import { useTexts } from "#ui/texts/texts.ts";

interface EmptyStateProps {
  /** Set when the chosen model is on a server. */
  readonly remote?: { readonly name: string; readonly host: string } | undefined;
  /** The chosen one, where it is on this device; of one that is not in the zoo only the name is known. */
  readonly model: Pick<ModelRecord, "name"> & Partial<Pick<ModelRecord, "knows">>;
  /** What stands below all else. */
  readonly offer?: ComponentChildren;
  /** Undefined while they are on their way: their place is kept, so that nothing moves when they come. */
  readonly examples: readonly Example[] | undefined;
  /** In which language the model is asked. */
  readonly asked: AskedIn;
  /** The pictures that were given, with questions to ask; absent while there are none. */
  readonly attached: ComponentChildren;
  readonly onChoose: () => void;
  readonly onExample: (example: Example, question: string) => void;
}

/** Shown while the conversation is empty. */
export function EmptyState(props: EmptyStateProps): JSX.Element {
  const { model, remote, offer, examples, asked, attached, onChoose, onExample } = props;
  const t = useTexts();
  if (attached !== undefined)
    return (
      <div class="empty empty-attached" data-testid="empty-state">
        <h1>{t.chat.askTitle}</h1>
        {attached}
      </div>
    );
  const language = languageNames(t.tag, [asked.tag]);
  return (
    <div class="empty" data-testid="empty-state">
      <h1>{t.heroTitle}</h1>
      <p class="lead">{remote === undefined ? t.heroLead(model.name) : t.remote.lead(remote.name, remote.host)}</p>
      <p class="choose">
        <button type="button" class="button button-primary" onClick={onChoose}>
          <PictureIcon />
          {t.chat.choosePicture}
        </button>
        {/* Touch screens have no dragging of files. */}
        {!matchMedia("(pointer: coarse)").matches && <span class="choose-hint">{t.chat.dropAnywhere}</span>}
      </p>
      {(examples === undefined || examples.length > 0) && (
        <section aria-labelledby="examples-title">
          <h2 id="examples-title" class="small-title">
            {asked.foreign ? t.chat.examplesIn(language) : t.examplesTitle}
          </h2>
          <div class="examples">
            {examples === undefined
              ? [1, 2, 3, 4].map((place) => <div key={place} class="example example-waiting" />)
              : examples.map((example) => <ExampleCard key={example.url} example={example} onExample={onExample} />)}
          </div>
        </section>
      )}
      <ul class="promises">
        <li>
          {remote === undefined || isOnThisMachine(remote.host) ? <LockIcon /> : <WarnIcon />}
          <span>{remote === undefined ? t.privacy : t.remote.leaves(remote.host)}</span>
        </li>
        {remote === undefined && (
          <li>
            <ShapesIcon />
            <span>{model.knows === "basics" ? t.knowsBasics(model.name) : t.knowsPhotographs(model.name)}</span>
          </li>
        )}
        {asked.foreign && (
          <li data-testid="reads-only">
            <SpeechIcon />
            <span>{t.chat.readsOnly(remote?.name ?? model.name, language)}</span>
          </li>
        )}
      </ul>
      {/* Last, because it comes when the device has been looked at: nothing moves. */}
      {offer}
    </div>
  );
}

interface ExampleCardProps {
  readonly example: Example;
  readonly onExample: (example: Example, question: string) => void;
}

function ExampleCard({ example, onExample }: ExampleCardProps): JSX.Element {
  const t = useTexts();
  const language = t.tag.split("-")[0] ?? "en";
  // The model gets questions it can read; where that is another language, what they mean stands below.
  const { credit } = example;
  const own = example.questions[language];
  const questions = own ?? example.questions["en"] ?? [];
  const glosses = own === undefined ? (example.glosses[language] ?? []) : [];
  return (
    <article class="example" data-testid="example">
      <figure>
        <img src={example.url} alt={example.alt[language] ?? example.alt["en"] ?? t.examplePicture} />
        {credit !== undefined && <figcaption>{t.photoBy(credit.holder, credit.license)}</figcaption>}
      </figure>
      <ul>
        {questions.map((question, index) => (
          <li key={question}>
            <button type="button" class="question-chip" onClick={() => onExample(example, question)}>
              <span lang={own === undefined ? "en" : undefined}>{question}</span>
              {glosses[index] !== undefined && <span class="question-gloss"> {glosses[index]}</span>}
            </button>
          </li>
        ))}
      </ul>
    </article>
  );
}
