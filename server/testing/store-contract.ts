import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { Store } from '../storage/store.ts';
import { againstModel } from './store-contract/against-model.ts';
import { appendContract } from './store-contract/append.ts';
import { type Context, makeContext, type StoreHome } from './store-contract/context.ts';
import { directoryContract } from './store-contract/directory.ts';
import { eraseContract } from './store-contract/erase.ts';
import { keptContract } from './store-contract/kept.ts';
import { logContract } from './store-contract/log.ts';
import { quarantineContract } from './store-contract/quarantine.ts';

export type { StoreHome } from './store-contract/context.ts';

/**
 * What every `Store` must do, as tests of vitest: call it in a test file, once for each implementation.
 * @param name stands in the tests' names
 * @param makeHome makes a new, empty place; called once. All stores opened on it are open at the same time, like those of processes that race
 */
export function storeContract(name: string, makeHome: () => Promise<StoreHome>): void {
  describe(`the Store contract on ${name}`, () => {
    let home: StoreHome;
    let store: Store;
    let context: Context;
    let tests = 0;
    beforeAll(async () => {
      home = await makeHome();
      store = await home.open();
    });
    afterAll(async () => {
      await home[Symbol.asyncDispose]();
    });
    beforeEach(() => {
      tests += 1;
      context = makeContext(home, store, tests);
    });
    const current = () => context;

    appendContract(current);
    logContract(current);
    keptContract(current);
    quarantineContract(current);
    directoryContract(current);
    eraseContract(current);
    againstModel(current);
  });
}
