const ADDRESS = /https?:\/\/\S+/;
let repeats = 0;

/**
 * Loads a part of the SDK that not every page needs. Where it does not come it is asked for once more: a browser remembers that an address
 * did not give a module and does not ask there again (https://github.com/whatwg/html/issues/6768), so the one that its error names gets a query.
 * @param load the `import()`
 * @throws what the browser throws where it did not come again: call it later once more
 */
export async function importLater<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    const [address] = ADDRESS.exec(String(error)) ?? [];
    if (address === undefined) throw error;
    const query = `${address.includes('?') ? '&' : '?'}again=${++repeats}`;
    // No bundler may look for it: it is one of its files.
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ address + query)) as Module;
  }
}
