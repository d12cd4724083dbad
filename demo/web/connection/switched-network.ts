import { type Environment, platformEnvironment, type Readable } from 'ashlar/client';

/** A network that can be switched off for one page, as if the device were offline. */
export interface SwitchedNetwork {
  readonly environment: Environment;
  /** Whether it is switched off. */
  readonly isCut: Readable<boolean>;
  cut(isCut: boolean): void;
}

export function createSwitchedNetwork(): SwitchedNetwork {
  const platform = platformEnvironment();
  let cut = false;
  const listeners = new Set<(isCut: boolean) => void>();
  const subscribe = (listener: (isCut: boolean) => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const online = (): boolean => !cut && platform.network.online();
  return {
    environment: {
      ...platform,
      network: {
        online,
        onChange(listener) {
          const tell = (): void => listener(online());
          const stops = [platform.network.onChange(tell), subscribe(tell)];
          return () => {
            for (const stop of stops) stop();
          };
        },
      },
    },
    isCut: { get: () => cut, subscribe },
    cut(isCut) {
      cut = isCut;
      for (const listener of [...listeners]) listener(isCut);
    },
  };
}
