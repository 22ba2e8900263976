/** Loaded before the app: whoever asks for cdktf gets cdktn, its fork, as `"cdktf": "npm:cdktn@…"` in package.json would. */
import Module, { register } from 'node:module';

const renamed = (name) => name.replace(/^cdktf(?=\/|$)/, 'cdktn');

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return resolve.call(this, renamed(request), ...rest);
};
register(
  `data:text/javascript,${encodeURIComponent(
    `export const resolve = (name, context, next) => next(name.replace(/^cdktf(?=\\/|$)/, 'cdktn'), context);`,
  )}`,
);
