import { useState } from "react";
import { cx } from "./cx";

const withoutSignature = (url: string) => url.split("?", 1)[0];

/** A picture behind a signed URL. A new signature for the same object does not load it again; an expired one asks for a
 *  new one through `onExpired`. */
export function SignedImage({ src, alt, className, onExpired }: { src: string | null; alt: string; className?: string; onExpired?: () => void }) {
  const [shown, setShown] = useState(src);
  const [failed, setFailed] = useState<string | null>(null);

  const sameObject = src !== null && shown !== null && withoutSignature(src) === withoutSignature(shown);
  if (src !== shown && (!sameObject || failed === shown)) setShown(src);

  if (shown === null || failed === shown) return <div aria-hidden="true" className={cx("bg-sunken", className)} />;
  return (
    <img
      src={shown}
      alt={alt}
      loading="lazy"
      decoding="async"
      draggable={false}
      className={className}
      onError={() => {
        setFailed(shown);
        onExpired?.();
      }}
    />
  );
}
