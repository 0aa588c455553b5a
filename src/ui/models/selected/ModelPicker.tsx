// Selects the model that answers: its name in the header, and the list of all models by where they run. Models that are sent data from
// this device are marked.
// data-testid="model-picker"; each model is a button data-testid="model-choice", the chosen one with aria-pressed="true".
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { ModelChoice } from "#chat/models/models.ts";
import type { ConnectedServer } from "#chat/servers/servers.ts";
import { Disclosure } from "#ui/parts/Disclosure.tsx";
import { FailureWords } from "#ui/notes/FailureWords.tsx";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { CheckIcon, ChevronIcon, CloseIcon, WarnIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import type { ModelFeatures, ModelsFeature } from "#ui/models/model-features.ts";

interface ModelPickerProps extends Pick<ModelFeatures, "models" | "servers"> {
  readonly onConnect: () => void;
  /** Opens the list of all models. */
  readonly onManage: () => void;
  /** Opens the view in which a model is taught. */
  readonly onTeach: () => void;
  /** Absent while an answer is under way, which would share the model. */
  readonly onCompare: (() => void) | undefined;
}

/** The name as a button that opens the list, which closes once a model was chosen. */
export function ModelPicker(props: ModelPickerProps): JSX.Element {
  const t = useTexts();
  const { selected } = props.models.state.value;
  return (
    <Disclosure
      class="model-picker"
      attributes={{ "data-testid": "model-picker" }}
      panelLabel={t.remote.models}
      button={
        <>
          <span class="visually-hidden">{t.remote.chooseModel}: </span>
          <span class="picked-model">
            <span class="brand-name">{withoutOwner(selected.name)}</span>
            {selected.id === props.models.builtIn.id && <small> {t.demoModel}</small>}
          </span>
          <ChevronIcon />
        </>
      }
    >
      {(close) => <ModelList {...props} close={close} />}
    </Disclosure>
  );
}

/** "llava-hf/llava-1.5-13b-hf" is too long for the header; the list shows the full name. */
function withoutOwner(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

function ModelList(props: ModelPickerProps & { readonly close: () => void }): JSX.Element {
  const t = useTexts();
  const { models, servers, close } = props;
  const { choices } = models.state.value;
  // Opening the list asks the servers for their current models.
  useEffect(() => void servers.actions.refresh(), []);
  const select = (id: string): void => {
    models.select(id);
    close();
  };
  const closeAnd = (act: () => void) => () => {
    close();
    act();
  };
  const { onManage, onConnect, onCompare, onTeach } = props;
  return (
    <>
      <Group title={t.remote.onThisDevice}>
        <Choices models={models} choices={choices.filter(({ host }) => host === undefined)} onSelect={select} />
      </Group>
      {servers.state.value.map((server) => (
        <ServerGroup
          key={server.id}
          server={server}
          models={models}
          onSelect={select}
          onRemove={() => servers.actions.remove(server.id)}
        />
      ))}
      <p class="picker-actions">
        <button type="button" class="button" onClick={closeAnd(onManage)}>
          {t.storage.open}
        </button>
        <button type="button" class="button" onClick={closeAnd(onConnect)}>
          {t.remote.connect}
        </button>
        <button type="button" class="button" onClick={closeAnd(onTeach)}>
          {t.teachMenu}
        </button>
        {onCompare !== undefined && choices.length > 1 && (
          <button type="button" class="button" onClick={closeAnd(onCompare)}>
            {t.compare.open}
          </button>
        )}
      </p>
    </>
  );
}

interface ChoicesProps {
  readonly models: ModelsFeature;
  readonly choices: readonly Pick<ModelChoice, "id" | "name">[];
  readonly onSelect: (id: string) => void;
}

function Choices({ models, choices, onSelect }: ChoicesProps): JSX.Element {
  const t = useTexts();
  const { selected } = models.state.value;
  const loaded = models.loadedIds.value;
  return (
    <ul class="model-choices">
      {choices.map(({ id, name }) => (
        <li key={id}>
          <button
            type="button"
            class="model-choice"
            data-testid="model-choice"
            aria-pressed={id === selected.id}
            onClick={() => onSelect(id)}
          >
            <span>
              <span>{name}</span>
              {id === models.builtIn.id && <small class="model-mark"> {t.demoModel}</small>}
              {loaded.includes(id) && (
                <small class="model-mark" data-testid="model-loaded">
                  {t.weights.loaded}
                </small>
              )}
            </span>
            {id === selected.id && <CheckIcon />}
          </button>
        </li>
      ))}
    </ul>
  );
}

interface ServerGroupProps extends Omit<ChoicesProps, "choices"> {
  readonly server: ConnectedServer;
  readonly onRemove: () => void;
}

function ServerGroup({ server, models, onSelect, onRemove }: ServerGroupProps): JSX.Element {
  const t = useTexts();
  const { name, host, problem } = server;
  return (
    <Group
      title={name}
      note={t.remote.sentTo(host)}
      action={
        <IconButton label={t.remote.remove(name)} small onClick={onRemove}>
          <CloseIcon />
        </IconButton>
      }
    >
      {problem !== undefined && (
        <div class="model-problem" data-testid="server-problem" data-code={problem.code}>
          <WarnIcon />
          <div>
            <FailureWords {...problem} />
          </div>
        </div>
      )}
      <Choices models={models} choices={server.models} onSelect={onSelect} />
    </Group>
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
