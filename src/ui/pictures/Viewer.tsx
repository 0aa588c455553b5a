// A picture looked at in large, and cropped from there.
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Picture } from "#chat/conversation/conversation.ts";
import type { PictureFeature } from "./picture-feature.ts";
import { lazy } from "#ui/parts/lazy.tsx";

const Lightbox = lazy(async () => (await import("./Lightbox.tsx")).Lightbox);
const CropDialog = lazy(async () => (await import("./CropDialog.tsx")).CropDialog);

/** What is looked at in large, or cropped. Without `replace` it was sent already: a part of it is for the next question. */
export interface Viewing {
  readonly pictures: readonly Picture[];
  readonly startId: string;
  readonly cropping?: Picture;
  readonly replace?: ReplacePicture | undefined;
}

/** Puts a cropped picture in the place of the one it was cut from. */
export type ReplacePicture = (id: string, cropped: Picture) => void;

interface ViewerProps {
  readonly viewing: Signal<Viewing | undefined>;
  /** Takes a part of a picture into the next question. */
  readonly onPart: (part: Picture) => void;
  readonly crop: PictureFeature["crop"];
}

export function Viewer({ viewing, crop, onPart }: ViewerProps): JSX.Element | null {
  const viewed = viewing.value;
  const close = (): void => {
    viewing.value = undefined;
  };
  if (viewed === undefined) return null;
  const { pictures, startId, cropping, replace } = viewed;
  if (cropping !== undefined) {
    return (
      <CropDialog
        picture={cropping}
        purpose={replace === undefined ? "part" : "crop"}
        crop={crop}
        onDone={(cropped) => {
          close();
          if (replace === undefined) onPart(cropped);
          else replace(cropping.id, cropped);
        }}
        onClose={close}
      />
    );
  }
  return (
    <Lightbox
      pictures={pictures}
      startId={startId}
      purpose={replace === undefined ? "part" : "crop"}
      onCrop={(picture) => {
        viewing.value = { ...viewed, cropping: picture };
      }}
      onClose={close}
    />
  );
}
