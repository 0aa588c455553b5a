// A button that opens the system's file picker for pictures.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { PictureIcon } from "#ui/parts/icons.tsx";

interface PicturePickerProps {
  readonly label: string;
  /** The id of the file input, for components that open it from elsewhere. */
  readonly inputId?: string;
  readonly testId: string;
  readonly onFiles: (files: readonly File[]) => void;
}

/** The file input itself is hidden and can't be focused. */
export function PicturePicker({ label, inputId, testId, onFiles }: PicturePickerProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton label={label} onClick={() => input.current?.click()}>
        <PictureIcon />
      </IconButton>
      <input
        ref={input}
        id={inputId}
        class="visually-hidden"
        type="file"
        accept="image/*,.heic,.heif"
        multiple
        tabIndex={-1}
        aria-hidden="true"
        data-testid={testId}
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          // Cleared, so that choosing the same file again fires a change event.
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}
