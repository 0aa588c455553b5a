// The connected servers, each with its address, the number of its models, and the error of the latest request, if any.
//   data-testid="server"
import type { JSX } from "preact";
import type { ServerProblem } from "#chat/servers/servers.ts";
import { ModelCard } from "#ui/models/ModelCard.tsx";
import type { ServersFeature } from "#ui/models/model-features.ts";
import { Note } from "#ui/notes/Note.tsx";
import { useTexts, type Texts } from "#ui/texts/texts.ts";

interface ServerCardsProps {
  readonly servers: ServersFeature;
  readonly onConnect: () => void;
}

export function ServerCards({ servers: { state, actions }, onConnect }: ServerCardsProps): JSX.Element {
  const t = useTexts();
  const servers = state.value;
  return (
    <>
      {servers.length === 0 && <p class="dialog-note">{t.remote.noServers}</p>}
      <ul class="model-cards">
        {servers.map(({ id, name, host, models, problem }) => (
          <ModelCard
            key={id}
            testId="server"
            name={name}
            facts={[...(name === host ? [] : [host]), t.remote.modelCount(models.length)]}
            actions={
              <div class="card-actions">
                <button
                  type="button"
                  class="button"
                  aria-label={t.remote.remove(name)}
                  onClick={() => actions.remove(id)}
                >
                  {t.remote.removeShort}
                </button>
              </div>
            }
          >
            {problem !== undefined && (
              <Note state={{ tone: "bad", text: sentencesOf(t, problem), retry: () => void actions.refresh() }} />
            )}
          </ModelCard>
        ))}
      </ul>
      <p class="card-actions">
        <button type="button" class="button" onClick={onConnect}>
          {t.remote.connect}
        </button>
      </p>
    </>
  );
}

/** The error, with the message of the server itself. */
function sentencesOf(t: Texts, { code, said }: ServerProblem): string {
  return said === "" || code === "server-key-characters" ? t.errors[code] : `${t.errors[code]} ${t.remote.said(said)}`;
}
