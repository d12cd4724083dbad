import { rm } from 'node:fs/promises';
import type { Candidate } from './candidates.ts';
import type { ScenarioResults } from './results.ts';
import type { Figures, Round, Scenario } from './scenario.ts';
import { createFolder, type Process, startProcess, startServer } from './server-process.ts';

export interface RunOptions {
  readonly quick: boolean;
  /** A folder for CPU profiles of the servers. */
  readonly profile?: string;
  readonly rounds?: number;
  /** Told what goes on. */
  readonly say: (line: string) => void;
}

/** Runs a scenario's rounds: each candidate once, then each once again, the first to go another each time. */
export async function runScenario(
  scenario: Scenario,
  candidates: readonly Candidate[],
  options: RunOptions,
): Promise<ScenarioResults> {
  const figures: Record<string, Figures[]> = {};
  const failures: Record<string, string> = {};
  const kept = new Map<string, Promise<unknown>>();
  const folders: string[] = [];
  const newFolder = async (): Promise<string> => {
    const folder = await createFolder();
    folders.push(folder);
    return folder;
  };
  const rounds = options.rounds ?? scenario.rounds[options.quick ? 'quick' : 'full'];
  for (const { name } of candidates) figures[name] = [];
  try {
    for (let number = 0; number < rounds; number += 1) {
      for (let place = 0; place < candidates.length; place += 1) {
        const candidate = candidates[(number + place) % candidates.length] as Candidate;
        if (failures[candidate.name] !== undefined) continue;
        const started: Process[] = [];
        const round: Round = {
          candidate,
          quick: options.quick,
          folder: newFolder,
          async start(given) {
            const folder = given ?? (await newFolder());
            const server = await startServer(candidate.server, folder, options.profile);
            started.push(server);
            return server;
          },
          async startOwnClients(port) {
            const clients = await startProcess(
              'own-clients/type-session',
              [candidate.ownClient ?? '', `${port}`],
              options.profile,
            );
            started.push(clients);
            return clients;
          },
          once<Value>(key: string, make: () => Promise<Value>): Promise<Value> {
            const name = `${candidate.name}\n${key}`;
            if (!kept.has(name)) kept.set(name, make());
            return kept.get(name) as Promise<Value>;
          },
        };
        try {
          const found = await scenario.run(round);
          figures[candidate.name]?.push(found);
          options.say(
            `${scenario.name} ${candidate.name} ${number + 1}/${rounds}: ${JSON.stringify(found, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value))}`,
          );
        } catch (error) {
          failures[candidate.name] = error instanceof Error ? error.message : String(error);
          options.say(`${scenario.name} ${candidate.name} FAILED: ${failures[candidate.name]}`);
        } finally {
          for (const server of started) await server.kill();
        }
      }
    }
  } finally {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }
  const complete = Object.entries(figures).filter(([name]) => failures[name] === undefined);
  return { title: scenario.title, metrics: scenario.metrics, candidates: Object.fromEntries(complete), failures };
}
