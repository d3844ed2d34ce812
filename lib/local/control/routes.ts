/** One thing that the control API can do. Gets the request's JSON body, and what stands for `*` in the path. */
export type ControlRoute = (body: unknown, argument: string) => unknown;

/** `METHOD path` → what it does; `*` stands for one path segment. */
export type ControlRoutes = Readonly<Record<string, ControlRoute>>;
