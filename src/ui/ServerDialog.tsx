// Connecting a server: its address, a name and a key if it needs one, what went wrong, and how each program lets this page in.
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { ServerProblem, Servers } from "#chat/models-servers.ts";
import { Dialog } from "./Dialog.tsx";
import { WarnIcon } from "./icons.tsx";
import { useTexts } from "./texts/texts.ts";

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
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ServerProblem>();

  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    const result = await connect({ url, name, key });
    setBusy(false);
    if (result.ok) onConnected(result.id);
    else setProblem(result.problem);
  };

  return (
    <Dialog title={t.remote.connectTitle} onClose={onClose}>
      <p>{t.remote.connectLead}</p>
      <form
        class="server-form"
        // No policy lets a form go anywhere; the script sends what is typed.
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
          onValue={setUrl}
        />
        <Field label={t.remote.name} hint={t.remote.nameHint} value={name} attributes={{}} onValue={setName} />
        <Field
          label={t.remote.key}
          hint={t.remote.keyHint}
          value={key}
          attributes={{ type: "password", autocomplete: "off" }}
          onValue={setKey}
        />
        {problem !== undefined && (
          <div class="failure" role="alert" data-testid="connect-problem" data-code={problem.code}>
            <WarnIcon />
            <div>
              <p>{t.errors[problem.code]}</p>
              {sayings.has(problem.code) && problem.said !== "" && <p class="said">{t.remote.said(problem.said)}</p>}
            </div>
          </div>
        )}
        <p class="dialog-actions">
          <button type="submit" class="button button-primary" disabled={busy || url.trim() === ""}>
            {busy ? t.remote.connecting : t.remote.connectButton}
          </button>
        </p>
      </form>
      <details class="server-help">
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
    </Dialog>
  );
}

/** Where the server's own words help; the rest is the browser's, for developers. */
const sayings: ReadonlySet<string> = new Set(["server-key", "server-rejected", "server-busy", "server-failed"]);

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
