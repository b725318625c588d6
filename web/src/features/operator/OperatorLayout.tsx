import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { cx } from "@/components/cx";
import { useServices } from "@/lib/services";
import { useTitle } from "@/lib/title";
import { watchOperations } from "./live";
import { messages } from "./messages";

const TABS = [
  ["/operator", "overview"],
  ["/operator/failures", "failures"],
  ["/operator/jobs", "jobs"],
  ["/operator/workers", "workers"],
  ["/operator/videos", "videos"],
  ["/operator/users", "users"],
  ["/operator/audit", "audit"],
  ["/operator/storage", "storage"],
] as const;

/** The frame of the console: its pages, and one stream that keeps what they show fresh. The route has made sure that the
 *  person may see it. */
export function OperatorLayout() {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const [live, setLive] = useState(true);
  useTitle(t.title);
  useEffect(() => watchOperations(api, client, setLive), [api, client]);
  const { pathname } = useLocation();
  const tabs = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone there is room for four: the one that is open is among them.
    const open = tabs.current?.querySelector<HTMLElement>("[data-status=active]");
    if (tabs.current && open) tabs.current.scrollLeft = open.offsetLeft - (tabs.current.clientWidth - open.offsetWidth) / 2;
  }, [pathname]);
  return (
    <div className="mx-auto grid w-full max-w-7xl gap-6 px-4 py-6 sm:px-6">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <h1 className="text-xl font-semibold tracking-tight">{t.title}</h1>
        <p role="status" className="flex items-center gap-2 text-[13px] text-ink-soft">
          <span aria-hidden="true" className={cx("size-2 rounded-full", live ? "bg-good" : "bg-warn")} />
          {live ? t.live : t.notLive}
        </p>
      </div>
      <nav ref={tabs} aria-label={t.sections} className="thin-scroll relative -mx-4 overflow-x-auto px-4 sm:mx-0 sm:px-0">
        <ul className="flex w-max min-w-full border-b border-line sm:gap-1">
          {TABS.map(([to, name]) => (
            <li key={to}>
              <Link
                to={to}
                activeOptions={{ exact: to === "/operator" }}
                className="block border-b-2 border-transparent px-2.5 py-2 text-sm font-medium text-ink-soft outline-offset-[-3px] hover:text-ink data-[status=active]:border-accent data-[status=active]:text-ink sm:px-3"
              >
                {t.tabs[name]}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <Outlet />
    </div>
  );
}
