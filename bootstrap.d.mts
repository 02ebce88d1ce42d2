/** Types of bootstrap.mjs, which must stay plain JavaScript: it runs before anything is installed. */

/** A Debian package that suites need; `skipped` says what does not run without it. */
export type DebianPackage = { readonly name: string; readonly command: string; readonly skipped: string };

export declare const DEBIAN_PACKAGES: readonly DebianPackage[];

/** The packages whose command is not on `path` (default: the PATH of this process). */
export declare function missingDebianPackages(path?: string): readonly DebianPackage[];

/** Installs Debian packages with service start denied; resolves with null or with what apt-get said. */
export declare function installDebianPackages(
  names: readonly string[],
  policyPath?: string,
  env?: Readonly<Record<string, string | undefined>>,
): Promise<string | null>;
