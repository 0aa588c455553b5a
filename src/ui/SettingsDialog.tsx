// Theme, language, and how answers are generated.
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { Theme } from "#chat/preferences.ts";
import { settingRanges, type Settings } from "#chat/settings.ts";
import { Dialog } from "./Dialog.tsx";
import { formatNumber } from "./format.ts";
import { languages, useTexts, type Language } from "./texts/texts.ts";

interface SettingsDialogProps {
  readonly theme: Theme;
  readonly language: Language;
  readonly settings: Settings;
  readonly defaults: Settings;
  readonly onTheme: (theme: Theme) => void;
  readonly onLanguage: (language: Language) => void;
  readonly onSettings: (settings: Settings) => void;
  readonly onAbout: () => void;
  readonly onClose: () => void;
}

/** Every change holds at once; there is nothing to confirm. */
export function SettingsDialog(props: SettingsDialogProps): JSX.Element {
  const t = useTexts();
  const { settings, onSettings } = props;
  return (
    <Dialog title={t.settings} onClose={props.onClose}>
      <Choice
        label={t.theme}
        value={props.theme}
        options={[
          ["system", t.themes.system],
          ["light", t.themes.light],
          ["dark", t.themes.dark],
        ]}
        onChange={props.onTheme}
      />
      <Choice
        label={t.language}
        value={props.language}
        options={[
          ["en", languages.en.languageName],
          ["zh", languages.zh.languageName],
        ]}
        onChange={props.onLanguage}
      />
      <h3 class="small-title">{t.answers}</h3>
      <label class="toggle">
        <span>
          {t.greedy}
          <small>{t.greedyHint}</small>
        </span>
        <input
          type="checkbox"
          role="switch"
          checked={settings.greedy}
          onChange={(event) => onSettings({ ...settings, greedy: event.currentTarget.checked })}
        />
      </label>
      <Slider
        label={t.temperature}
        hint={t.temperatureHint}
        digits={1}
        range={settingRanges.temperature}
        value={settings.temperature}
        disabled={settings.greedy}
        onChange={(temperature) => onSettings({ ...settings, temperature })}
      />
      <Slider
        label={t.topP}
        hint={t.topPHint}
        digits={2}
        range={settingRanges.topP}
        value={settings.topP}
        disabled={settings.greedy}
        onChange={(topP) => onSettings({ ...settings, topP })}
      />
      <Slider
        label={t.maxNewTokens}
        digits={0}
        range={settingRanges.maxNewTokens}
        value={settings.maxNewTokens}
        disabled={false}
        onChange={(maxNewTokens) => onSettings({ ...settings, maxNewTokens })}
      />
      <p class="dialog-actions">
        <button type="button" class="button" onClick={() => onSettings(props.defaults)}>
          {t.resetSettings}
        </button>
        <button type="button" class="button" onClick={props.onAbout}>
          {t.about}
        </button>
      </p>
    </Dialog>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => void;
}

function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>): JSX.Element {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      <div class="choice-options">
        {options.map(([option, text]) => (
          <label key={option} class="choice-option">
            <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface SliderProps {
  readonly label: string;
  readonly hint?: string;
  readonly digits: number;
  readonly range: { readonly min: number; readonly max: number; readonly step: number };
  readonly value: number;
  readonly disabled: boolean;
  readonly onChange: (value: number) => void;
}

function Slider({ label, hint, digits, range, value, disabled, onChange }: SliderProps): JSX.Element {
  const t = useTexts();
  const id = useId();
  return (
    <div class={`slider${disabled ? " slider-off" : ""}`}>
      <label for={id}>
        {label}
        {hint !== undefined && <small>{hint}</small>}
      </label>
      <output for={id}>{formatNumber(t, value, digits)}</output>
      <input
        id={id}
        type="range"
        {...range}
        value={value}
        disabled={disabled}
        onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}
