// Connects a server: its address, a name, a key if it needs one, the problem if it fails, and help with CORS for each server program. If
// a server has no list of models, the user can name one. data-testid="connect-problem" with data-code.
import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ServerProblem, Servers } from "#chat/servers/servers.ts";
import { Dialog } from "#ui/parts/Dialog.tsx";
import { FailureWords } from "#ui/notes/FailureWords.tsx";
import { WarnIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";

interface ServerDialogProps {
  readonly connect: Servers["connect"];
  /** The server's id, once it is connected. */
  readonly onConnected: (id: string) => void;
  readonly onClose: () => void;
}

/** Stays open, with the reason, when the server could not be connected. */
export function ServerDialog({ connect, onConnected, onClose }: ServerDialogProps): JSX.Element {
  const t = useTexts();
  const [url, setUrl] = useState("");
  const [name, setName] = useState("");
  const [key, setKey] = useState("");
  const [model, setModel] = useState("");
  const [canNameModel, setCanNameModel] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ServerProblem>();
  const leaving = useRef(new AbortController());
  useEffect(() => () => leaving.current.abort(), []);

  const submit = async (): Promise<void> => {
    const { signal } = leaving.current;
    setBusy(true);
    setProblem(undefined);
    try {
      const result = await connect({ url, name, key, model: canNameModel ? model : "" }, signal);
      if (signal.aborted) return;
      setBusy(false);
      if (result.ok) return onConnected(result.id);
      setProblem(result.problem);
      // The field for a model's name stays after a later failure, so that what was typed in it is not lost.
      if (result.problem.canNameModel === true) setCanNameModel(true);
    } catch (error) {
      // The dialog was closed, so nobody waits for the result.
      if (!signal.aborted) throw error;
    }
  };

  return (
    <Dialog title={t.remote.connectTitle} onClose={onClose}>
      <p class="dialog-note">{t.remote.connectLead}</p>
      <form
        class="server-form"
        // The content security policy lets no form be submitted; the script sends what is typed.
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void submit();
        }}
      >
        <Field
          label={t.remote.address}
          hint={t.remote.addressHint}
          value={url}
          attributes={{ inputmode: "url", required: true }}
          onValue={(next) => {
            setUrl(next);
            // Whether another server lists its models is not known yet.
            setCanNameModel(false);
          }}
        />
        {canNameModel && (
          <Field
            label={t.remote.modelName}
            hint={t.remote.modelNameHint}
            value={model}
            attributes={{}}
            onValue={setModel}
          />
        )}
        <Field label={t.remote.name} hint={t.remote.nameHint} value={name} attributes={{}} onValue={setName} />
        <Field
          label={t.remote.key}
          hint={t.remote.keyHint}
          value={key}
          attributes={{ type: "password", autocomplete: "off" }}
          onValue={setKey}
        />
        {problem !== undefined && <ConnectProblem problem={problem} busy={busy} />}
        <p class="dialog-actions">
          <button type="submit" class="button button-primary" disabled={busy || url.trim() === ""}>
            {busy ? t.remote.connecting : t.remote.connectButton}
          </button>
        </p>
      </form>
      <ServerHelp />
    </Dialog>
  );
}

interface ConnectProblemProps {
  readonly problem: ServerProblem;
  readonly busy: boolean;
}

/** Why the server could not be connected, with a button that submits the form again. Scrolls itself into view. */
function ConnectProblem({ problem, busy }: ConnectProblemProps): JSX.Element {
  const t = useTexts();
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => element.current?.scrollIntoView({ block: "nearest" }), [problem]);
  return (
    <div ref={element} class="failure" role="alert" data-testid="connect-problem" data-code={problem.code}>
      <WarnIcon />
      <div>
        <FailureWords {...problem} />
      </div>
      <button type="submit" class="button" disabled={busy}>
        {t.tryAgain}
      </button>
    </div>
  );
}

/** How each known server program is told to accept requests from this page. */
function ServerHelp(): JSX.Element {
  const t = useTexts();
  return (
    <details class="dialog-details server-help">
      <summary>{t.remote.corsTitle}</summary>
      <dl class="facts">
        {t.remote.cors(location.origin).map(([server, setting]) => (
          <div key={server} class="server-setting">
            <dt>{server}</dt>
            <dd>
              <code>{setting}</code>
            </dd>
          </div>
        ))}
      </dl>
      <p class="panel-note">{t.remote.mixedContent}</p>
    </details>
  );
}

interface FieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly attributes: JSX.IntrinsicElements["input"];
  readonly onValue: (value: string) => void;
}

function Field({ label, hint, value, attributes, onValue }: FieldProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        spellcheck={false}
        autocapitalize="off"
        aria-describedby={`${id}-hint`}
        {...attributes}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      <small id={`${id}-hint`}>{hint}</small>
    </div>
  );
}
