// Warns before sending that the selected model does not read the language of the question, and names models that do.
import type { JSX } from "preact";
import type { ModelChoice } from "#chat/models/models.ts";
import { languageOfText } from "#chat/conversation/text-language.ts";
import { languagesOf, modelsThatRead } from "#zoo/languages.ts";
import { languageNames } from "#ui/parts/language-names.ts";
import { useTexts } from "#ui/texts/texts.ts";

interface LanguageNoteProps {
  readonly text: string;
  readonly selected: ModelChoice;
  /** All models that can be selected. */
  readonly choices: readonly ModelChoice[];
  readonly onUse: (id: string) => void;
  readonly onModels: () => void;
  readonly onConnect: () => void;
}

/** Renders nothing if the model reads the question's language, or if that is unknown. */
export function LanguageNote({ text, selected, choices, ...props }: LanguageNoteProps): JSX.Element | null {
  const t = useTexts();
  const read = languagesOf(selected.id);
  const asked = languageOfText(text);
  if (read === undefined || asked === undefined || read.includes(asked)) return null;
  const language = languageNames(t.tag, [asked]);
  const here = choices.find(({ id }) => languagesOf(id)?.includes(asked) === true);
  const [elsewhere] = modelsThatRead(asked);
  return (
    <div class="dock-note language-note" role="status" data-testid="language-note">
      <p>
        {t.chat.languageNote(selected.name, languageNames(t.tag, read), language)}
        {here === undefined && elsewhere !== undefined && ` ${t.chat.modelReads(elsewhere.name, language)}`}
      </p>
      <p class="language-note-steps">
        {here !== undefined ? (
          <button type="button" class="link-button" onClick={() => props.onUse(here.id)}>
            {t.chat.useModel(here.name)}
          </button>
        ) : (
          elsewhere !== undefined && (
            <button type="button" class="link-button" onClick={props.onModels}>
              {t.chat.seeModels}
            </button>
          )
        )}
        <button type="button" class="link-button" onClick={props.onConnect}>
          {t.remote.connect}
        </button>
      </p>
    </div>
  );
}
