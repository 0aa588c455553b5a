// The top of the page: the mark, which model and device answer, and the few things that are always at hand.
import type { JSX } from "preact";
import { isBusy } from "#chat/conversation/conversation.ts";
import { ModelPicker } from "#ui/models/selected/ModelPicker.tsx";
import { ModelStatus } from "#ui/models/selected/ModelStatus.tsx";
import { IconButton } from "#ui/parts/IconButton.tsx";
import {
  KeyboardIcon,
  LogoMark,
  MoonIcon,
  NewChatIcon,
  OfflineIcon,
  SettingsIcon,
  SidebarIcon,
  SunIcon,
} from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import type { AppFeatures } from "./features.ts";
import type { OpenDialog } from "./open-dialog.ts";
import type { SidebarState } from "./use-sidebar.ts";

interface HeaderProps extends Pick<AppFeatures, "chat" | "installation" | "models" | "preferences" | "servers"> {
  readonly dark: boolean;
  readonly sidebar: SidebarState;
  readonly onNewChat: () => void;
  readonly onTeach: () => void;
  /** Another view than the chat is shown: "New chat" leads back. */
  readonly awayFromChat: boolean;
  readonly onOpen: (dialog: OpenDialog) => void;
}

/** "Works offline" stands here only when it is true. */
export function Header(props: HeaderProps): JSX.Element {
  const { chat, models, servers, preferences, dark, sidebar, onOpen } = props;
  const t = useTexts();
  const { conversation, model } = chat.state.value;
  const offline = props.installation.offline.value;
  const sidebarLabel = sidebar.isOpen ? t.history.hide : t.history.show;
  const themeLabel = dark ? t.toLight : t.toDark;
  return (
    <header class="header">
      <div class="header-inner">
        <IconButton
          id="toggle-sidebar"
          label={sidebarLabel}
          aria-expanded={sidebar.isOpen}
          aria-controls={sidebar.isOpen ? "sidebar" : undefined}
          onClick={sidebar.toggle}
        >
          <SidebarIcon />
        </IconButton>
        <span class="brand">
          <LogoMark />
        </span>
        <ModelPicker
          models={models}
          servers={servers}
          onConnect={() => onOpen({ name: "server" })}
          onManage={() => onOpen({ name: "models" })}
          onTeach={props.onTeach}
          onCompare={isBusy(conversation) ? undefined : () => onOpen({ name: "compare" })}
        />
        <ModelStatus name={models.state.value.selected.name} state={model} offline={offline} />
        {offline && (
          <span class="offline" data-testid="offline" title={t.offlineReadyHint}>
            <OfflineIcon />
            <span>{t.offlineReady}</span>
          </span>
        )}
        <span class="header-space" />
        {/* The open list has it on top. */}
        {!sidebar.isOpen && (
          <IconButton
            label={t.newChat}
            disabled={conversation.turns.length === 0 && !props.awayFromChat}
            onClick={props.onNewChat}
          >
            <NewChatIcon />
          </IconButton>
        )}
        <IconButton
          label={themeLabel}
          kind="theme-button"
          onClick={() => preferences.change({ ...preferences.state.value, theme: dark ? "light" : "dark" })}
        >
          {dark ? <SunIcon /> : <MoonIcon />}
        </IconButton>
        <IconButton label={t.chat.shortcuts} kind="shortcuts-button" onClick={() => onOpen({ name: "shortcuts" })}>
          <KeyboardIcon />
        </IconButton>
        <IconButton id="settings" label={t.settings} onClick={() => onOpen({ name: "settings" })}>
          <SettingsIcon />
        </IconButton>
      </div>
    </header>
  );
}
