import { useEffect, useRef, useState, type ReactNode } from "react";
import { cx } from "./cx";

export const menuItemClass =
  "flex w-full items-center gap-3 rounded-lg px-3 py-2 text-left text-sm text-ink hover:bg-sunken focus-visible:bg-sunken [&_svg]:size-4 [&_svg]:text-ink-faint";

/** As `w-60` below. */
const WIDTH_PX = 240;

/** A button that opens a small list of links and buttons. Closes with Escape, by choosing, and by leaving it.
 *  `label` is for a button without words of its own. */
export function Menu({ label, button, buttonClassName, children }: {
  label?: string;
  button: ReactNode;
  buttonClassName?: string;
  children: ReactNode;
}) {
  const [open, setOpen] = useState(false);
  const [side, setSide] = useState<"left" | "right">("right");
  const root = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    document.addEventListener("focusin", away);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("focusin", away);
    };
  }, [open]);

  const toggle = () => {
    // It hangs from the button's left edge when it fits there, else from the right one.
    const left = trigger.current?.getBoundingClientRect().left ?? 0;
    setSide(left + WIDTH_PX + 16 <= document.documentElement.clientWidth ? "left" : "right");
    setOpen(!open);
  };

  return (
    <div
      ref={root}
      className="relative"
      onKeyDown={(event) => {
        if (event.key === "Escape" && open) {
          event.stopPropagation();
          setOpen(false);
          trigger.current?.focus();
        }
      }}
    >
      <button ref={trigger} type="button" aria-label={label} aria-expanded={open} onClick={toggle} className={buttonClassName}>
        {button}
      </button>
      {open && (
        <div
          onClick={() => setOpen(false)}
          className={cx(
            "absolute top-full z-40 mt-2 w-60 animate-rise rounded-xl border border-line bg-raised p-1.5 shadow-float",
            side === "right" ? "right-0" : "left-0",
          )}
        >
          {children}
        </div>
      )}
    </div>
  );
}
