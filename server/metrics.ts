import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ErrorCode } from '../shared/errors.ts';
import type { Tally } from './rooms/tally.ts';

/** What is read when somebody asks, rather than counted as it happens. */
export interface MetricsNow {
  readonly connections: number;
  readonly users: number;
  /** Rooms in memory. */
  readonly rooms: number;
  /** Memberships of all sockets. */
  readonly members: number;
  /** Bytes that wait for all receivers together, and for the slowest. */
  readonly queuedBytes: number;
  readonly queuedBytesMost: number;
  /** What is stored, and its limit: 0 where there is none; null where the store does not say. */
  readonly stored: { readonly bytes: number; readonly quota: number; readonly full: boolean } | null;
}

/** How late the event loop was since the last time it was asked, ms. */
export interface EventLoopLag {
  take(): { readonly mean: number; readonly p99: number; readonly max: number };
  stop(): void;
}

/** Where something was refused. */
export type RefusedAt = 'handshake' | 'socket' | 'document' | 'http';

const SECONDS = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** The server's counters in Prometheus' form: a registry of its own, so that a product's metrics and two servers of one process never meet. */
export class Metrics implements Tally {
  readonly #registry = new Registry();
  readonly #lag: EventLoopLag;
  readonly #refusals = this.#counter('refusals_total', 'What was refused, by error code and place', ['code', 'at']);
  readonly #dropped = this.#counter('ephemeral_dropped_total', 'Ephemeral events dropped for receivers whose queue was full');
  readonly #conflated = this.#counter(
    'states_conflated_total',
    'State values that waited for slow receivers: only the latest of each goes out',
  );
  readonly #caughtUp = this.#counter('catch_ups_total', 'Times a member was brought up to date from the log');
  readonly #records = this.#counter('committed_records_total', 'Records that are on disk');
  readonly #failedCommits = this.#counter('failed_commits_total', 'Group commits that failed');
  readonly #compactions = this.#counter('compactions_total', 'Compactions of documents, by result', ['result']);
  readonly #commits: Histogram;
  readonly #documentWork: Histogram;

  /** @param now asked at each scrape */
  constructor(now: () => MetricsNow, lag: EventLoopLag) {
    this.#lag = lag;
    this.#commits = this.#histogram('commit_seconds', 'How long group commits took, until they were on disk');
    this.#documentWork = this.#histogram(
      'document_work_seconds',
      'How long reads and edits of documents by the backend held the event loop',
    );
    for (const result of ['compacted', 'failed', 'quarantined']) this.#compactions.inc({ result }, 0);
    const gauges: readonly (readonly [name: string, help: string, read: (of: MetricsNow) => number])[] = [
      ['connections', 'Open sockets', (of) => of.connections],
      ['users', 'Users with an open socket', (of) => of.users],
      ['rooms', 'Rooms in memory', (of) => of.rooms],
      ['members', 'Sockets in rooms', (of) => of.members],
      ['queued_bytes', 'Bytes that wait for all receivers', (of) => of.queuedBytes],
      ['queued_bytes_most', 'Bytes that wait for the slowest receiver', (of) => of.queuedBytesMost],
      ['storage_bytes', 'Database and write-ahead log, without free pages', (of) => of.stored?.bytes ?? 0],
      ['storage_quota_bytes', 'The quota of what is stored; 0: none', (of) => of.stored?.quota ?? 0],
      ['storage_full', '1 while the quota is reached, and nothing new is taken', (of) => (of.stored?.full === true ? 1 : 0)],
    ];
    const all = gauges.map(([name, help, read]) => ({ gauge: this.#gauge(name, help), read }));
    const delays = (['mean', 'p99', 'max'] as const).map((kind) => ({
      kind,
      gauge: this.#gauge(`event_loop_lag_${kind}_seconds`, `How late the event loop was since the last scrape, ${kind}`),
    }));
    this.#refresh = () => {
      const values = now();
      for (const { gauge, read } of all) gauge.set(read(values));
      const taken = this.#lag.take();
      for (const { kind, gauge } of delays) gauge.set(taken[kind] / 1_000);
    };
  }

  readonly #refresh: () => void;

  refused(code: ErrorCode, at: RefusedAt): void {
    this.#refusals.inc({ code, at });
  }

  dropped(): void {
    this.#dropped.inc();
  }

  conflated(): void {
    this.#conflated.inc();
  }

  caughtUp(): void {
    this.#caughtUp.inc();
  }

  committed(ms: number, records: number, ok: boolean): void {
    this.#commits.observe(ms / 1_000);
    if (ok) this.#records.inc(records);
    else this.#failedCommits.inc();
  }

  /** The backend read or edited a document. @param ms for so long nothing else ran */
  documentHeld(ms: number): void {
    this.#documentWork.observe(ms / 1_000);
  }

  compacted(result: 'compacted' | 'failed' | 'quarantined'): void {
    this.#compactions.inc({ result });
  }

  /** The media type of `render`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of it, as Prometheus reads it. */
  render(): Promise<string> {
    this.#refresh();
    return this.#registry.metrics();
  }

  close(): void {
    this.#lag.stop();
  }

  #counter<Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name: `ashlar_${name}`, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ name: `ashlar_${name}`, help, buckets: SECONDS, registers: [this.#registry] });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name: `ashlar_${name}`, help, registers: [this.#registry] });
  }
}
