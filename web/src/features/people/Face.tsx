import { UserRound } from "lucide-react";
import { cx } from "@/components/cx";
import { SignedImage } from "@/components/SignedImage";

/** A person's picture, round, or the shape of one. `className` says how large. */
export function Face({ url, className, imageClassName, onExpired }: { url: string | null; className: string; imageClassName?: string; onExpired: () => void }) {
  return (
    <span className={cx("grid shrink-0 place-items-center overflow-hidden rounded-full border border-line bg-sunken text-line-strong", className)}>
      {url ? <SignedImage src={url} alt="" className={cx("size-full object-cover", imageClassName)} onExpired={onExpired} /> : <UserRound className="size-2/5" strokeWidth={1.5} aria-hidden="true" />}
    </span>
  );
}
