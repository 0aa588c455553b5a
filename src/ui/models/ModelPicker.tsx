// Which model answers: its name in the header, and the list of all that can be chosen, by where they run. What leaves this device says so.
// data-testid="model-picker"; each model is a button data-testid="model-choice", the chosen one with aria-pressed="true".
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { ModelChoice, ModelsState } from "#chat/models/models.ts";
import type { ConnectedServer } from "#chat/models/servers.ts";
import { Disclosure } from "#ui/parts/Disclosure.tsx";
import { FailureWords } from "#ui/parts/FailureWords.tsx";
import { CheckIcon, ChevronIcon, CloseIcon, WarnIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";

export interface ModelPickerProps {
  readonly models: ModelsState;
  readonly servers: readonly ConnectedServer[];
  /** Ids of the models of this device that are in memory. */
  readonly loaded: readonly string[];
  readonly onSelect: (id: string) => void;
  readonly onConnect: () => void;
  /** Opens what is stored. */
  readonly onStorage: () => void;
  /** Absent while an answer is under way, which would share the model. */
  readonly onCompare: (() => void) | undefined;
  readonly onRemoveServer: (id: string) => void;
  /** The list was opened: a good time to ask the servers what they offer now. */
  readonly onOpen: () => void;
}

/** Closes when a model was chosen. */
export function ModelPicker(props: ModelPickerProps): JSX.Element {
  const t = useTexts();
  return (
    <Disclosure
      class="model-picker"
      attributes={{ "data-testid": "model-picker" }}
      panelLabel={t.remote.models}
      button={
        <>
          <span class="visually-hidden">{t.remote.chooseModel}: </span>
          <span class="brand-name">{withoutOwner(props.models.selected.name)}</span>
          <ChevronIcon />
        </>
      }
    >
      {(close) => <ModelList {...props} close={close} />}
    </Disclosure>
  );
}

/** "llava-hf/llava-1.5-13b-hf" is long for a header; the list has it whole. */
function withoutOwner(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

function ModelList(props: ModelPickerProps & { readonly close: () => void }): JSX.Element {
  const t = useTexts();
  const { models, servers, onOpen, close } = props;
  useEffect(onOpen, []);
  const select = (id: string): void => {
    props.onSelect(id);
    close();
  };
  const list = (choices: readonly ModelChoice[]): JSX.Element => (
    <ul class="model-choices">
      {choices.map((choice) => (
        <li key={choice.id}>
          <button
            type="button"
            class="model-choice"
            data-testid="model-choice"
            aria-pressed={choice.id === models.selected.id}
            onClick={() => select(choice.id)}
          >
            <span>
              <span>{choice.name}</span>
              {props.loaded.includes(choice.id) && (
                <small class="model-loaded" data-testid="model-loaded">
                  {t.weights.loaded}
                </small>
              )}
            </span>
            {choice.id === models.selected.id && <CheckIcon />}
          </button>
        </li>
      ))}
    </ul>
  );
  return (
    <>
      <Group title={t.remote.onThisDevice}>{list(models.choices.filter(({ host }) => host === undefined))}</Group>
      {servers.map((server) => (
        <Group
          key={server.id}
          title={server.name}
          note={t.remote.sentTo(server.host)}
          action={
            <button
              type="button"
              class="icon-button icon-button-small"
              aria-label={t.remote.remove(server.name)}
              title={t.remote.remove(server.name)}
              onClick={() => props.onRemoveServer(server.id)}
            >
              <CloseIcon />
            </button>
          }
        >
          {server.problem !== undefined && (
            <div class="model-problem" data-testid="server-problem" data-code={server.problem.code}>
              <WarnIcon />
              <div>
                <FailureWords {...server.problem} />
              </div>
            </div>
          )}
          {list(server.models.map((model) => ({ ...model, host: server.host })))}
        </Group>
      ))}
      <p class="picker-actions">
        <button
          type="button"
          class="button"
          onClick={() => {
            close();
            props.onStorage();
          }}
        >
          {t.storage.open}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            close();
            props.onConnect();
          }}
        >
          {t.remote.connect}
        </button>
        {props.onCompare !== undefined && models.choices.length > 1 && (
          <button
            type="button"
            class="button"
            onClick={() => {
              close();
              props.onCompare?.();
            }}
          >
            {t.compare.open}
          </button>
        )}
      </p>
    </>
  );
}

interface GroupProps {
  readonly title: string;
  readonly note?: string;
  readonly action?: JSX.Element;
  readonly children: ComponentChildren;
}

function Group({ title, note, action, children }: GroupProps): JSX.Element {
  return (
    <section class="model-group" aria-label={title}>
      <header>
        <p class="small-title">
          {title}
          {note !== undefined && <small>{note}</small>}
        </p>
        {action}
      </header>
      {children}
    </section>
  );
}
