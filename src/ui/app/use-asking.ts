// Asking: the question that is being put together, what could be asked of its pictures, and sending it.
import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Example } from "#chat/pictures/examples.web.ts";
import { useDraft, type Draft } from "#ui/composer/use-draft.ts";
import { useKeptDraft } from "#ui/composer/use-kept-draft.ts";
import { askedIn, suggestQuestions, type AskedIn, type Suggestion } from "#ui/conversation/suggestions.ts";
import type { PhotographsGiven } from "#ui/models/PhotoOffer.tsx";
import { focusQuestion } from "#ui/parts/use-modal.ts";
import type { Texts } from "#ui/texts/texts.ts";
import type { AppFeatures } from "./features.ts";

export interface Asking {
  readonly draft: Draft;
  /** The language that the model is asked in. */
  readonly asked: AskedIn;
  readonly suggestions: readonly Suggestion[];
  /** Undefined where no other model is to be offered for photographs. */
  readonly photographs: PhotographsGiven | undefined;
  /** No other model is to be offered for photographs any more. */
  readonly declinePhotoOffer: () => void;
  /** The example that was clicked could not be downloaded or opened. */
  readonly exampleFailed: boolean;
  /** Sends the draft. */
  readonly send: (forgetOldest?: boolean) => void;
  /** Sends the draft's pictures with this question. */
  readonly ask: (question: string) => void;
  readonly askExample: (example: Example, question: string) => void;
}

type AskingFeatures = Pick<AppFeatures, "chat" | "examples" | "launch" | "models" | "pictures" | "preferences">;

/** `editing` holds the id of a sent question that is being edited; sending ends that. */
export function useAsking(features: AskingFeatures, t: Texts, editing: Signal<string | undefined>): Asking {
  const { chat, examples, launch, models, pictures, preferences } = features;
  const draft = useDraft(pictures.open, { text: launch.question, pictures: [] });
  const exampleFailed = useSignal(false);
  useDraftKeeping(features, draft);
  const prepares = preferences.state.value.prepare !== false;
  useEffect(() => {
    chat.actions.prepare(prepares ? { text: draft.text, pictures: draft.pictures } : undefined);
  }, [chat.actions, prepares, draft.text, draft.pictures]);
  const incoming = launch.incoming.value;
  useEffect(() => {
    if (incoming === undefined) return;
    if (incoming.text !== "") draft.setText(incoming.text);
    draft.addFiles(incoming.files);
  }, [incoming]);

  const { builtIn } = models;
  const { selected } = models.state.value;
  const asked = askedIn(t, selected.id);
  const offers = selected.id === builtIn.id && preferences.state.value.photoOffer !== false;
  const knows = selected.id === builtIn.id ? builtIn.knows : "photographs";
  const ask = (question: string, forgetOldest = false): void => {
    chat.actions.send(question, draft.pictures, { forgetOldest });
    draft.clear();
    editing.value = undefined;
    exampleFailed.value = false;
  };
  const askExample = async (example: Example, question: string): Promise<void> => {
    exampleFailed.value = false;
    try {
      const opened = await pictures.open(await examples.fetch(example), example.name);
      exampleFailed.value = !opened.ok;
      if (!opened.ok) return;
      chat.actions.send(question, [opened.picture]);
      focusQuestion();
    } catch {
      exampleFailed.value = true;
    }
  };
  return {
    draft,
    asked,
    suggestions: suggestQuestions(t, asked, knows, draft.pictures.length),
    photographs: offers ? photographsOf(draft, chat.state.value.photographs) : undefined,
    declinePhotoOffer: () => preferences.change({ ...preferences.state.value, photoOffer: false }),
    exampleFailed: exampleFailed.value,
    send(forgetOldest = false) {
      const { text, pictures: sent } = draft;
      // A picture that comes without words is to be described, in a language that the model reads.
      ask(text.trim() === "" && sent.length > 0 ? asked.texts.chat.describe(sent.length) : text, forgetOldest);
    },
    ask: (question) => ask(question),
    askExample: (example, question) => void askExample(example, question),
  };
}

function photographsOf({ pictures }: Draft, photographs: readonly string[]): PhotographsGiven {
  const count = pictures.filter(({ id }) => photographs.includes(id)).length;
  if (count === 0) return "none";
  return count < pictures.length ? "some" : count === 1 ? "one" : "all";
}

/** Keeps a draft for each conversation, once it is known which one the page shows. */
function useDraftKeeping({ chat }: Pick<AskingFeatures, "chat">, draft: Draft): void {
  const { restored, conversation } = chat.state.value;
  const { id, turns } = conversation;
  useKeptDraft(draft, chat.drafts, restored ? { id, isNew: turns.length === 0 } : undefined);
}
