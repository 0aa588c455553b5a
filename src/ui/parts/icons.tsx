// The page's own icons: 24-unit outlines in the colour of the text. Decoration only; names live on their buttons.
import type { ComponentChildren, JSX } from "preact";

function Icon({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

/** A speech bubble that is a llama: the mark of the page; public/icon.svg is the same drawing. */
export const LogoMark = (): JSX.Element => (
  <svg class="logo-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <g class="logo-body">
      <path d="M7.7 12.5C6.2 8.7 5.9 2.3 8.3 1.7c2.3-.6 4.3 3.4 4.5 8.3l-1 6z" />
      <path d="M24.3 12.5c1.5-3.8 1.8-10.2-.6-10.8-2.3-.6-4.3 3.4-4.5 8.3l1 6z" />
      <path d="M6 18a10 8.8 0 0 1 20 0v2.3a8.2 8.2 0 0 1-8.2 8.2h-4.3l-5 2.7a1 1 0 0 1-1.5-.9v-4.6a8.2 8.2 0 0 1-1-4z" />
      <circle cx="16" cy="8.7" r="2.5" />
      <circle cx="12.7" cy="9.8" r="2.2" />
      <circle cx="19.3" cy="9.8" r="2.2" />
    </g>
    <g class="logo-face">
      <ellipse cx="16" cy="21.4" rx="5" ry="4.3" />
      <circle cx="10.6" cy="16" r="1.5" />
      <circle cx="21.4" cy="16" r="1.5" />
    </g>
    <path class="logo-mouth" d="M14.7 19.6h2.6M16 19.6v2.2m0 0c-.5 1-1.7 1.1-2.3.5M16 21.8c.5 1 1.7 1.1 2.3.5" />
  </svg>
);

export const SendIcon = (): JSX.Element => (
  <Icon>
    <path d="M12 19.5V5M5.5 11.5 12 5l6.5 6.5" />
  </Icon>
);

export const StopIcon = (): JSX.Element => (
  <Icon>
    <rect class="filled" x="6.5" y="6.5" width="11" height="11" rx="2" />
  </Icon>
);

export const PictureIcon = (): JSX.Element => (
  <Icon>
    <rect x="3.5" y="4.5" width="17" height="15" rx="3" />
    <circle cx="9" cy="10" r="1.6" />
    <path d="m4 17 4.6-4.2a1.5 1.5 0 0 1 2 0L16 18M13.5 15.5l2-1.8a1.5 1.5 0 0 1 2 0l3 2.7" />
  </Icon>
);

export const NewChatIcon = (): JSX.Element => (
  <Icon>
    <path d="M12.5 4.5H7a3 3 0 0 0-3 3V17a3 3 0 0 0 3 3h9.5a3 3 0 0 0 3-3v-5.5" />
    <path d="m10 14 .6-2.6 7.5-7.5a1.4 1.4 0 0 1 2 2l-7.5 7.5z" />
  </Icon>
);

export const SettingsIcon = (): JSX.Element => (
  <Icon>
    <path d="M4 8h9M17.5 8H20M4 16h2.5M11 16h9" />
    <circle cx="15.2" cy="8" r="2.2" />
    <circle cx="8.8" cy="16" r="2.2" />
  </Icon>
);

export const SunIcon = (): JSX.Element => (
  <Icon>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1" />
  </Icon>
);

export const MoonIcon = (): JSX.Element => (
  <Icon>
    <path d="M19.5 14.2A8 8 0 0 1 9.8 4.5a7.8 7.8 0 1 0 9.7 9.7z" />
  </Icon>
);

export const CloseIcon = (): JSX.Element => (
  <Icon>
    <path d="m6.5 6.5 11 11M17.5 6.5l-11 11" />
  </Icon>
);

export const CopyIcon = (): JSX.Element => (
  <Icon>
    <rect x="9" y="9" width="11" height="11" rx="2.5" />
    <path d="M15 5.5A2 2 0 0 0 13.2 4.5H6.5a2 2 0 0 0-2 2v6.7a2 2 0 0 0 1 1.8" />
  </Icon>
);

export const CheckIcon = (): JSX.Element => (
  <Icon>
    <path d="m5 12.5 4.5 4.5L19 7.5" />
  </Icon>
);

export const WarnIcon = (): JSX.Element => (
  <Icon>
    <path d="M12 8.5v4.5M12 16.2v.1M10.3 4.5 3.3 16.8A2 2 0 0 0 5 19.8h14a2 2 0 0 0 1.7-3L13.7 4.5a2 2 0 0 0-3.4 0z" />
  </Icon>
);

export const ChatIcon = (): JSX.Element => (
  <Icon>
    <path d="M5 5.5h14a1.5 1.5 0 0 1 1.5 1.5v8.5A1.5 1.5 0 0 1 19 17h-7l-4.5 3.5V17H5a1.5 1.5 0 0 1-1.5-1.5V7A1.5 1.5 0 0 1 5 5.5z" />
  </Icon>
);

export const SidebarIcon = (): JSX.Element => (
  <Icon>
    <rect x="3.5" y="4.5" width="17" height="15" rx="3" />
    <path d="M9.5 4.5v15" />
  </Icon>
);

export const EditIcon = (): JSX.Element => (
  <Icon>
    <path d="m5 19 .9-3.8L16.2 4.9a1.6 1.6 0 0 1 2.3 0l.6.6a1.6 1.6 0 0 1 0 2.3L8.8 18.1zM14.5 6.6l2.9 2.9" />
  </Icon>
);

export const DeleteIcon = (): JSX.Element => (
  <Icon>
    <path d="M5 7h14M10 7V5h4v2M7 7l.8 11a2 2 0 0 0 2 1.9h4.4a2 2 0 0 0 2-1.9L17 7M10.3 11v5M13.7 11v5" />
  </Icon>
);

export const RegenerateIcon = (): JSX.Element => (
  <Icon>
    <path d="M19 12a7 7 0 1 1-2.2-5.1M19 4.5v3.8h-3.8" />
  </Icon>
);

export const PreviousIcon = (): JSX.Element => (
  <Icon>
    <path d="m14 6.5-5.5 5.5 5.5 5.5" />
  </Icon>
);

export const NextIcon = (): JSX.Element => (
  <Icon>
    <path d="m10 6.5 5.5 5.5-5.5 5.5" />
  </Icon>
);

export const SearchIcon = (): JSX.Element => (
  <Icon>
    <circle cx="10.8" cy="10.8" r="5.8" />
    <path d="m15.2 15.2 4.3 4.3" />
  </Icon>
);

export const PlusIcon = (): JSX.Element => (
  <Icon>
    <path d="M12 5.5v13M5.5 12h13" />
  </Icon>
);

export const MinusIcon = (): JSX.Element => (
  <Icon>
    <path d="M5.5 12h13" />
  </Icon>
);

export const CropIcon = (): JSX.Element => (
  <Icon>
    <path d="M7 3.5V15a2 2 0 0 0 2 2h11.5M3.5 7H15a2 2 0 0 1 2 2v11.5" />
  </Icon>
);

export const CameraIcon = (): JSX.Element => (
  <Icon>
    <path d="M4 9.5a2 2 0 0 1 2-2h2l1.4-2h5.2l1.4 2h2a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2z" />
    <circle cx="12" cy="13" r="3.4" />
  </Icon>
);

/** A mortarboard. */
export const TeachIcon = (): JSX.Element => (
  <Icon>
    <path d="M12 4.5 2.5 9.2 12 14l9.5-4.8z" />
    <path d="M6.5 11.5v4.6c1.5 1.6 3.4 2.4 5.5 2.4s4-.8 5.5-2.4v-4.6M21.5 9.2v5.3" />
  </Icon>
);

/** An arrow to somewhere else. */
export const MoveIcon = (): JSX.Element => (
  <Icon>
    <path d="M4.5 12h13M12.5 6.5 18 12l-5.5 5.5" />
  </Icon>
);

export const LockIcon = (): JSX.Element => (
  <Icon>
    <rect x="5" y="10.5" width="14" height="9.5" rx="2.5" />
    <path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5" />
  </Icon>
);

export const ShapesIcon = (): JSX.Element => (
  <Icon>
    <circle cx="7.5" cy="8" r="3.5" />
    <path d="M16.8 4.5 20.5 11h-7.4z" />
    <rect x="8.8" y="14" width="6.5" height="6" rx="1.2" />
  </Icon>
);

export const OfflineIcon = (): JSX.Element => (
  <Icon>
    <path d="M12 4v9.5M8 10l4 4 4-4M5 18.5h14" />
  </Icon>
);

export const ChevronIcon = (): JSX.Element => (
  <Icon>
    <path d="m7 10 5 5 5-5" />
  </Icon>
);

export const ThumbIcon = (): JSX.Element => (
  <Icon>
    <path d="M8 10.5v9H4.5v-9zM8 10.5l3.5-6.5c1.6 0 2.5 1 2.2 2.6L13 10h5a2 2 0 0 1 2 2.4l-1.2 5.5a2 2 0 0 1-2 1.6H8" />
  </Icon>
);

export const FlagIcon = (): JSX.Element => (
  <Icon>
    <path d="M6 20.5V4.5M6 5.5c4-2.5 7 2 12 0v8c-5 2-8-2.500-12 0" />
  </Icon>
);

export const InfoIcon = (): JSX.Element => (
  <Icon>
    <circle cx="12" cy="12" r="8.25" />
    <path d="M12 11v5M12 8v.1" />
  </Icon>
);

export const DownIcon = (): JSX.Element => (
  <Icon>
    <path d="M12 5v14M5.5 12.5 12 19l6.5-6.5" />
  </Icon>
);

export const KeyboardIcon = (): JSX.Element => (
  <Icon>
    <rect x="2.75" y="6" width="18.5" height="12" rx="2.5" />
    <path d="M6.5 10v.1M10 10v.1M13.9 10v.1M17.5 10v.1M8.5 14.2h7" />
  </Icon>
);

/** A frame drawn over part of something. */
export const PartIcon = (): JSX.Element => (
  <Icon>
    <path d="M4 8V6.5A2.5 2.5 0 0 1 6.5 4H8M16 4h1.5A2.5 2.5 0 0 1 20 6.5V8M20 16v1.5a2.5 2.5 0 0 1-2.5 2.5H16M8 20H6.5A2.5 2.5 0 0 1 4 17.5V16" />
    <rect x="8.5" y="8.5" width="7" height="7" rx="1" />
  </Icon>
);

export const SpeechIcon = (): JSX.Element => (
  <Icon>
    <path d="M12 4.5c4.7 0 8.5 3 8.5 6.8s-3.8 6.8-8.5 6.8c-.9 0-1.8-.1-2.6-.3L5 20l.9-3.6a6.3 6.3 0 0 1-2.4-5.1c0-3.8 3.8-6.8 8.5-6.8z" />
  </Icon>
);
