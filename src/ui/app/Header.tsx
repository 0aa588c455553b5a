// The top of the page: the mark, which model and device answer, and the few things that are always at hand.
import type { JSX } from "preact";
import type { ModelState } from "#chat/store/chat-state.ts";
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
import { ModelStatus } from "#ui/models/ModelStatus.tsx";
import { useTexts } from "#ui/texts/texts.ts";

interface HeaderProps {
  readonly modelName: string;
  /** The model's name, and the list behind it. */
  readonly modelPicker: JSX.Element;
  readonly model: ModelState;
  readonly offline: boolean;
  readonly dark: boolean;
  readonly canStartNew: boolean;
  /** Whether the list of conversations is open. */
  readonly listOpen: boolean;
  readonly onToggleList: () => void;
  readonly onNewChat: () => void;
  readonly onToggleTheme: () => void;
  readonly onShortcuts: () => void;
  readonly onSettings: () => void;
}

/** "Works offline" stands here only when it is true. */
export function Header(props: HeaderProps): JSX.Element {
  const t = useTexts();
  const themeLabel = props.dark ? t.toLight : t.toDark;
  return (
    <header class="header">
      <div class="header-inner">
        <button
          type="button"
          id="toggle-sidebar"
          class="icon-button"
          aria-label={props.listOpen ? t.history.hide : t.history.show}
          title={props.listOpen ? t.history.hide : t.history.show}
          aria-expanded={props.listOpen}
          aria-controls={props.listOpen ? "sidebar" : undefined}
          onClick={props.onToggleList}
        >
          <SidebarIcon />
        </button>
        <span class="brand">
          <LogoMark />
        </span>
        {props.modelPicker}
        <ModelStatus name={props.modelName} state={props.model} offline={props.offline} />
        {props.offline && (
          <span class="offline" data-testid="offline" title={t.offlineReadyHint}>
            <OfflineIcon />
            <span>{t.offlineReady}</span>
          </span>
        )}
        <span class="header-space" />
        {/* The open list has it on top. */}
        {!props.listOpen && (
          <button
            type="button"
            class="icon-button"
            aria-label={t.newChat}
            title={t.newChat}
            disabled={!props.canStartNew}
            onClick={props.onNewChat}
          >
            <NewChatIcon />
          </button>
        )}
        <button
          type="button"
          class="icon-button theme-button"
          aria-label={themeLabel}
          title={themeLabel}
          onClick={props.onToggleTheme}
        >
          {props.dark ? <SunIcon /> : <MoonIcon />}
        </button>
        <button
          type="button"
          class="icon-button shortcuts-button"
          aria-label={t.chat.shortcuts}
          title={t.chat.shortcuts}
          onClick={props.onShortcuts}
        >
          <KeyboardIcon />
        </button>
        <button
          type="button"
          id="settings"
          class="icon-button"
          aria-label={t.settings}
          title={t.settings}
          onClick={props.onSettings}
        >
          <SettingsIcon />
        </button>
      </div>
    </header>
  );
}
