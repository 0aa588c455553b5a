// The notices view: what the model is and can't do, and whom it and the page owe.
import type { JSX } from "preact";
import type { ModelRecord } from "#zoo/models.ts";
import {
  artAttributions,
  libraryAttributions,
  methodAttributions,
  photoAttributions,
  type Attribution,
} from "./attributions.ts";
import { Dialog, Section } from "#ui/parts/Dialog.tsx";
import { useTexts } from "#ui/texts/texts.ts";

interface AboutDialogProps {
  readonly model: ModelRecord;
  readonly modelCardUrl: string;
  readonly onClose: () => void;
}

export function AboutDialog({ model, modelCardUrl, onClose }: AboutDialogProps): JSX.Element {
  const t = useTexts();
  return (
    <Dialog title={t.about} onClose={onClose}>
      <p>{t.aboutLead}</p>
      <p>
        <a href="bench/" target="_blank" rel="noopener">
          {t.benchLink}
        </a>
        {" · "}
        <a href="eval/" target="_blank" rel="noopener">
          {t.evalLink}
        </a>
        {" · "}
        <a href="review/" target="_blank" rel="noopener">
          {t.reviewLink}
        </a>
      </p>
      <Section title={t.modelTitle}>
        <p>{t.modelFacts(model.name, model.parameters)}</p>
        <p>{t.modelCan}</p>
        <p>{t.modelCannot}</p>
        <p>
          {t.modelTerms}{" "}
          <a href={modelCardUrl} target="_blank" rel="noopener">
            {t.modelCard}
          </a>
        </p>
      </Section>
      <Attributions title={t.artTitle} list={artAttributions} />
      <Attributions title={t.examplesCredit} list={photoAttributions} />
      <Attributions title={t.methodTitle} list={methodAttributions} />
      <Attributions title={t.librariesTitle} list={libraryAttributions} />
    </Dialog>
  );
}

function Attributions({ title, list }: { readonly title: string; readonly list: readonly Attribution[] }): JSX.Element {
  return (
    <Section title={title}>
      <ul class="attributions">
        {list.map(({ name, holder, license, url }) => (
          <li key={name}>
            <a href={url} target="_blank" rel="noopener noreferrer">
              {name}
            </a>
            <span>{holder}</span>
            <span class="attribution-license">{license}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
