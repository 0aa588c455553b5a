// The controls that a user sets something with: a choice of few, a switch, a slider, a text, a number that may be empty. They hold no state.
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { formatNumber } from "./format.ts";
import { useTexts } from "#ui/texts/texts.ts";

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly hint?: string;
  readonly value: T | undefined;
  readonly options: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => void;
}

/** One of a few; `value` undefined is none of them. */
export function Choice<T extends string>({ label, hint, value, options, onChange }: ChoiceProps<T>): JSX.Element {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>
        {label}
        {hint !== undefined && <small>{hint}</small>}
      </legend>
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

interface ToggleProps {
  readonly label: string;
  readonly hint: string;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChange: (checked: boolean) => void;
}

/** On or off. */
export function Toggle({ label, hint, checked, disabled = false, onChange }: ToggleProps): JSX.Element {
  return (
    <label class="toggle">
      <span>
        {label}
        <small>{hint}</small>
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </label>
  );
}

interface SliderProps {
  readonly label: string;
  readonly hint?: string;
  readonly digits: number;
  readonly range: { readonly min: number; readonly max: number; readonly step: number };
  readonly value: number;
  /** Said instead of the value that switches it off. */
  readonly off?: readonly [value: number, text: string];
  readonly disabled: boolean;
  readonly onChange: (value: number) => void;
}

/** A number in a range. */
export function Slider({ label, hint, digits, range, value, off, disabled, onChange }: SliderProps): JSX.Element {
  const t = useTexts();
  const id = useId();
  const said = off?.[0] === value ? off[1] : formatNumber(t, value, digits);
  return (
    <div class={`slider${disabled ? " slider-off" : ""}`}>
      <label for={id}>
        {label}
        {hint !== undefined && <small>{hint}</small>}
      </label>
      <output for={id}>{said}</output>
      <input
        id={id}
        type="range"
        {...range}
        value={value}
        disabled={disabled}
        aria-valuetext={said}
        onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly maxLength: number;
  readonly onChange: (value: string) => void;
}

/** A text of some lines. */
export function TextField({ label, hint, value, maxLength, onChange }: TextFieldProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        {label}
        <small>{hint}</small>
      </label>
      <textarea
        id={id}
        rows={3}
        maxLength={maxLength}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  );
}

interface NumberFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: number | undefined;
  readonly max: number;
  readonly disabled: boolean;
  readonly onChange: (value: number | undefined) => void;
}

/** A whole number from 0, or none. */
export function NumberField({ label, hint, value, max, disabled, onChange }: NumberFieldProps): JSX.Element {
  const id = useId();
  return (
    <div class={`field field-short${disabled ? " slider-off" : ""}`}>
      <label for={id}>
        {label}
        <small>{hint}</small>
      </label>
      <input
        id={id}
        type="text"
        inputMode="numeric"
        autocomplete="off"
        disabled={disabled}
        value={value ?? ""}
        onInput={(event) => {
          const digits = event.currentTarget.value.replace(/\D/g, "").slice(0, 10);
          const number = digits === "" ? undefined : Math.min(Number(digits), max);
          event.currentTarget.value = String(number ?? "");
          onChange(number);
        }}
      />
    </div>
  );
}
