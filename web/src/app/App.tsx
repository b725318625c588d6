import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { ErrorState } from "@/components/States";
import { Toaster } from "@/components/Toaster";
import { ApiError } from "@/lib/api/errors";
import { ServicesProvider, startServices, type Services } from "@/lib/services";
import { isLeaving } from "@/lib/session";
import { dismissToasts } from "@/lib/toast";
import { messages } from "./messages";
import { asked, makeRouter, Splash } from "./router";

function makeClient() {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What the server has refused stays refused; only a passing trouble is worth another try.
        retry: (failures, error) => failures < 3 && (!(error instanceof ApiError) || error.isTransient) && !(error instanceof ApiError && error.status === 429),
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 8000),
      },
    },
  });
}

/** Asks the server how to sign in, then shows the app. */
export function App() {
  const t = messages.use();
  const [services, setServices] = useState<Services | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let current = true;
    startServices().then(
      (started) => current && setServices(started),
      (failure: unknown) => current && setError(failure),
    );
    return () => {
      current = false;
    };
  }, [attempt]);

  if (services) return <Running services={services} />;
  if (error === null) return <Splash />;
  return (
    <main className="grid min-h-dvh place-items-center">
      <ErrorState
        title={t.startFailed}
        error={error}
        retry={() => {
          setError(null);
          setAttempt(attempt + 1);
        }}
      />
    </main>
  );
}

function Running({ services }: { services: Services }) {
  const [{ client, router }] = useState(() => {
    const queryClient = makeClient();
    return { client: queryClient, router: makeRouter({ services, client: queryClient }) };
  });

  useEffect(() => {
    let person: string | null = null;
    const { data } = services.supabase.auth.onAuthStateChange((event, session) => {
      const next = session?.user.id ?? null;
      const changed = person !== null && next !== person;
      person = next;
      // Also when another tab signs out or in as somebody else: nothing of the person before stays on the screen.
      if (event === "SIGNED_OUT" || changed) {
        const wanted = isLeaving();
        // supabase-js forbids calling itself inside of this callback.
        setTimeout(() => {
          client.clear();
          dismissToasts();
          if (next !== null) return void router.invalidate();
          // Pages for everybody stay: a link from a mail, for example, is still to be pressed.
          const { matches, location } = router.state;
          if (!matches.some(({ routeId }) => routeId === "/member" || routeId === "/signed-in")) return;
          // Whoever has not asked for it wants to know why, and to come back to the same place.
          void router.navigate({ to: "/login", search: wanted ? {} : { why: "ended", to: asked(location) }, replace: true });
        });
      }
    });
    return () => data.subscription.unsubscribe();
  }, [services, client, router]);

  return (
    <ServicesProvider value={services}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
        <Toaster />
      </QueryClientProvider>
    </ServicesProvider>
  );
}
