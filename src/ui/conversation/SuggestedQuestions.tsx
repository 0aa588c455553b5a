// Questions that one click asks of the pictures at hand; they say in which language they are asked.
import type { JSX } from "preact";
import { languageNames } from "#ui/parts/language-names.ts";
import type { AskedIn, Suggestion } from "./suggestions.ts";
import { useTexts } from "#ui/texts/texts.ts";

interface SuggestedQuestionsProps {
  readonly suggestions: readonly Suggestion[];
  readonly asked: AskedIn;
  readonly onAsk: (question: string) => void;
}

export function SuggestedQuestions({ suggestions, asked, onAsk }: SuggestedQuestionsProps): JSX.Element {
  const t = useTexts();
  const title = asked.foreign ? t.chat.suggestedIn(languageNames(t.tag, [asked.tag])) : t.chat.suggested;
  return (
    <div class="suggestions" role="group" aria-label={title} data-testid="suggestions">
      {asked.foreign && <p class="suggestions-title">{title}</p>}
      <ul>
        {suggestions.map(({ question, gloss }) => (
          <li key={question}>
            <button type="button" class="question-chip" onClick={() => onAsk(question)}>
              <span lang={asked.foreign ? asked.tag : undefined}>{question}</span>
              {gloss !== undefined && <span class="question-gloss"> {gloss}</span>}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
