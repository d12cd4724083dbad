export interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly cpu?: readonly string[];
  readonly os?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];
const LIBRARIES: Readonly<Record<string, string>> = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };

/**
 * Lockfile entries for binaries of single platforms (optional dependencies of an exact version, named after system and processor)
 * that the lockfile lacks.
 */
export function missingPlatformPackages(lock: Lockfile): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const parent of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      const words = name.split(/[/-]/);
      const os = words.find((word) => SYSTEMS.includes(word));
      const cpu = words.find((word) => PROCESSORS.includes(word));
      const isListed = Object.keys(lock.packages).some((listed) => listed === path || listed.endsWith(`/${path}`));
      if (isListed || os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+$/.test(version)) continue;
      const libc = os === 'linux' ? words.flatMap((word) => LIBRARIES[word] ?? []) : [];
      missing[path] = {
        version,
        cpu: [cpu],
        ...(parent.dev === true ? { dev: true } : {}),
        ...(libc.length === 0 ? {} : { libc }),
        optional: true,
        os: [os],
      };
    }
  }
  return missing;
}
