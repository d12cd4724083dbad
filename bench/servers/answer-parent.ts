import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What a server process can be asked by the benchmark; everything about its cost is read from the operating system. */
export type Question =
  | { readonly ask: 'usage'; readonly collect: boolean }
  | { readonly ask: 'watch-delay' }
  | { readonly ask: 'delay' }
  | { readonly ask: 'do'; readonly what: string; readonly args: Readonly<Record<string, unknown>> };

export interface Usage {
  /** User and system time of all threads, µs (getrusage). */
  readonly cpu: number;
  /** Resident set, bytes. */
  readonly rss: number;
  /** Live JavaScript objects and external buffers, bytes. */
  readonly heap: number;
}

/** What a server does when the benchmark asks for it by name: its own way to publish an event, to tell whether it is at rest. */
export type Deeds = Readonly<Record<string, (args: Readonly<Record<string, unknown>>) => unknown>>;

/** Tells the parent the port, answers its questions, and ends with it. */
export function answerParent(port: number, deeds: Deeds = {}): void {
  // Off unless it is asked for: its timer costs more than an idle server.
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const answer = async (question: Question): Promise<unknown> => {
    switch (question.ask) {
      case 'usage': {
        if (question.collect) (globalThis as { gc?: () => void }).gc?.();
        const { user, system } = process.cpuUsage();
        const { rss, heapUsed, external } = process.memoryUsage();
        return { cpu: user + system, rss, heap: heapUsed + external } satisfies Usage;
      }
      case 'watch-delay':
        delay.reset();
        return delay.enable();
      case 'delay': {
        delay.disable();
        const p99 = delay.percentile(99) / 1e6;
        const max = delay.max / 1e6;
        return { p99, max };
      }
      case 'do': {
        const deed = deeds[question.what];
        if (deed === undefined) throw new Error(`this server does not know how to ${question.what}`);
        return await deed(question.args);
      }
    }
  };
  process.on('message', (message: { id: number; question: Question }) => {
    answer(message.question).then(
      (value) => process.send?.({ id: message.id, value }),
      (error: unknown) => process.send?.({ id: message.id, error: String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ port });
}
