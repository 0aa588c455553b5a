// Theme, language, and how answers are generated.
import type { JSX } from "preact";
import type { Theme } from "#chat/preferences.ts";
import {
  largestSeed,
  longestSystemPrompt,
  presetOf,
  presets,
  settingRanges,
  type QuestionKind,
  type Settings,
} from "#chat/settings.ts";
import { Dialog, Section } from "#ui/parts/Dialog.tsx";
import { Choice, NumberField, Slider, TextField, Toggle } from "#ui/parts/Fields.tsx";
import type { Language } from "#ui/texts/language.ts";
import { languageNames, useTexts } from "#ui/texts/texts.ts";

interface SettingsDialogProps {
  readonly theme: Theme;
  readonly language: Language;
  readonly settings: Settings;
  readonly defaults: Settings;
  readonly onTheme: (theme: Theme) => void;
  readonly onLanguage: (language: Language) => void;
  readonly onSettings: (settings: Settings) => void;
  /** Whether answers are prepared while a question is put together. */
  readonly prepare: boolean;
  readonly onPrepare: (prepare: boolean) => void;
  /** A question of the chosen kind, for a question box that is empty. */
  readonly onSuggestion: (question: string) => void;
  /** Puts the app among the device's own; undefined where the browser does not offer it. */
  readonly onInstall: (() => void) | undefined;
  readonly onExport: () => void;
  readonly onAbout: () => void;
  readonly onClose: () => void;
}

/** Every change holds at once; there is nothing to confirm. */
export function SettingsDialog(props: SettingsDialogProps): JSX.Element {
  const t = useTexts();
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
          ["en", languageNames.en],
          ["zh", languageNames.zh],
        ]}
        onChange={props.onLanguage}
      />
      <Section title={t.answers}>
        <AnswerSettings {...props} />
        <details class="dialog-details">
          <summary>{t.sampling.more}</summary>
          <MoreSettings {...props} />
        </details>
      </Section>
      <p class="dialog-actions dialog-foot">
        <button type="button" class="button" onClick={() => props.onSettings(props.defaults)}>
          {t.resetSettings}
        </button>
        <button type="button" class="button" onClick={props.onExport}>
          {t.transfer.title}
        </button>
        {props.onInstall !== undefined && (
          <button type="button" class="button" onClick={props.onInstall}>
            {t.app.install}
          </button>
        )}
        <button type="button" class="button" onClick={props.onAbout}>
          {t.about}
        </button>
      </p>
    </Dialog>
  );
}

/** What LLaVA's demo shows, too, and whether answers are prepared. */
function AnswerSettings(props: SettingsDialogProps): JSX.Element {
  const t = useTexts();
  const { settings, onSettings } = props;
  const choosePreset = (kind: QuestionKind): void => {
    onSettings({ ...settings, ...presets[kind] });
    props.onSuggestion(t.sampling.presetQuestions[kind]);
  };
  return (
    <>
      <Choice
        label={t.sampling.preset}
        value={presetOf(settings)}
        options={[
          ["conversation", t.sampling.presets.conversation],
          ["detail", t.sampling.presets.detail],
          ["reasoning", t.sampling.presets.reasoning],
        ]}
        onChange={choosePreset}
      />
      <Toggle
        label={t.greedy}
        hint={t.greedyHint}
        checked={settings.greedy}
        onChange={(greedy) => onSettings({ ...settings, greedy })}
      />
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
      <Toggle label={t.app.prepare} hint={t.app.prepareHint} checked={props.prepare} onChange={props.onPrepare} />
    </>
  );
}

type MoreSettingsProps = Pick<SettingsDialogProps, "settings" | "onSettings">;

/** What LLaVA's demo does not show. */
function MoreSettings({ settings, onSettings }: MoreSettingsProps): JSX.Element {
  const t = useTexts();
  const { seed, ...unseeded } = settings;
  return (
    <div class="more-settings-body">
      <Slider
        label={t.sampling.topK}
        hint={t.sampling.topKHint}
        digits={0}
        range={settingRanges.topK}
        value={settings.topK}
        off={[0, t.sampling.off]}
        disabled={settings.greedy}
        onChange={(topK) => onSettings({ ...settings, topK })}
      />
      <Slider
        label={t.sampling.minP}
        hint={t.sampling.minPHint}
        digits={2}
        range={settingRanges.minP}
        value={settings.minP}
        off={[0, t.sampling.off]}
        disabled={settings.greedy}
        onChange={(minP) => onSettings({ ...settings, minP })}
      />
      <Slider
        label={t.sampling.repetitionPenalty}
        hint={t.sampling.repetitionPenaltyHint}
        digits={2}
        range={settingRanges.repetitionPenalty}
        value={settings.repetitionPenalty}
        off={[1, t.sampling.off]}
        disabled={false}
        onChange={(repetitionPenalty) => onSettings({ ...settings, repetitionPenalty })}
      />
      <NumberField
        label={t.sampling.seed}
        hint={t.sampling.seedHint}
        value={seed}
        max={largestSeed}
        disabled={settings.greedy}
        onChange={(value) => onSettings(value === undefined ? unseeded : { ...unseeded, seed: value })}
      />
      <Choice
        label={t.sampling.imageMode}
        value={settings.imageMode}
        options={[
          ["auto", t.sampling.imageModes.auto],
          ["pad", t.sampling.imageModes.pad],
          ["crop", t.sampling.imageModes.crop],
          ["resize", t.sampling.imageModes.resize],
        ]}
        onChange={(imageMode) => onSettings({ ...settings, imageMode })}
      />
      <Choice
        label={t.sampling.detail}
        hint={t.sampling.detailHint}
        value={settings.detail}
        options={[
          ["auto", t.sampling.details.auto],
          ["quick", t.sampling.details.quick],
          ["every", t.sampling.details.every],
        ]}
        onChange={(detail) => onSettings({ ...settings, detail })}
      />
      <TextField
        label={t.sampling.systemPrompt}
        hint={t.sampling.systemPromptHint}
        value={settings.systemPrompt}
        maxLength={longestSystemPrompt}
        onChange={(systemPrompt) => onSettings({ ...settings, systemPrompt })}
      />
    </div>
  );
}
