/** `--target` of every command that has one. */
import { InvalidArgumentError } from 'commander';

/** Throws InvalidArgumentError, which never repeats what was given: there may be a password in it. */
export function parseTargetUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('It must be an http or https URL, e.g. http://127.0.0.1:3000');
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('It must not hold a user or password: players send none.');
  }
  return url;
}
