// How the page opens pictures and cuts parts out of them.
import type { Picture } from "#chat/conversation/conversation.ts";
import type { CropFrame } from "#chat/pictures/picture-sources.web.ts";
import type { OpenedPicture } from "#chat/pictures/pictures.web.ts";

export interface PictureFeature {
  readonly open: (file: Blob, name: string) => Promise<OpenedPicture>;
  /** Downloads a picture from its address. */
  readonly fetch: (address: string) => Promise<OpenedPicture>;
  readonly crop: (picture: Picture, frame: CropFrame) => Promise<Picture>;
}
