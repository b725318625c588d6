import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/lib/api/client";
import type { Account, AdminJob, AdminJobStory, AdminVideo, AuditLine, FailureGroup, Page, Queues, Storage, Worker } from "@/lib/api/types";

export type Filter = Record<string, string | undefined>;

/** `work` is what events of the console make stale; the rest is read when it is looked at. */
export const keys = {
  all: ["operator"] as const,
  work: ["operator", "work"] as const,
  queues: ["operator", "work", "queues"] as const,
  workers: ["operator", "work", "workers"] as const,
  failures: ["operator", "work", "failures"] as const,
  jobs: ["operator", "work", "jobs"] as const,
  job: (id: string) => ["operator", "work", "job", id] as const,
  videos: ["operator", "work", "videos"] as const,
  users: ["operator", "users"] as const,
  audit: ["operator", "audit"] as const,
  storage: ["operator", "storage"] as const,
};

export const queuesQuery = (api: ApiClient) =>
  queryOptions({ queryKey: keys.queues, queryFn: ({ signal }) => api.json<Queues>("/admin/queues", { signal }) });

/** A worker that is killed says nothing: silence can only be noticed by asking. */
export const workersQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: keys.workers,
    queryFn: async ({ signal }) => (await api.json<{ items: Worker[] }>("/admin/workers", { signal })).items,
    refetchInterval: 5000,
  });

export const failuresQuery = (api: ApiClient) =>
  queryOptions({ queryKey: keys.failures, queryFn: async ({ signal }) => (await api.json<{ items: FailureGroup[] }>("/admin/failures", { signal })).items });

export const jobQuery = (api: ApiClient, id: string) =>
  queryOptions({ queryKey: keys.job(id), queryFn: ({ signal }) => api.json<AdminJobStory>(`/admin/jobs/${id}`, { signal }) });

const pages = <T>(api: ApiClient, queryKey: readonly string[], path: string, filter: Filter) =>
  infiniteQueryOptions({
    queryKey: [...queryKey, filter],
    queryFn: ({ signal, pageParam }) => api.json<Page<T>>(path, { query: { limit: 50, cursor: pageParam, ...filter }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  });

export const jobsQuery = (api: ApiClient, filter: Filter) => pages<AdminJob>(api, keys.jobs, "/admin/jobs", filter);
export const videosQuery = (api: ApiClient, filter: Filter) => pages<AdminVideo>(api, keys.videos, "/admin/videos", filter);
export const usersQuery = (api: ApiClient, filter: Filter) => pages<Account>(api, keys.users, "/admin/users", filter);
export const auditQuery = (api: ApiClient, filter: Filter) => pages<AuditLine>(api, keys.audit, "/admin/audit", filter);

export const storageQuery = (api: ApiClient) =>
  infiniteQueryOptions({
    queryKey: keys.storage,
    queryFn: ({ signal, pageParam }) => api.json<Storage>("/admin/storage", { query: { limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  });
