// What needs no core, for the entries to export.

export { cacheApi, durableObject, SessionCacheObject, workersKv, ERROR_CODES, RolesAnywhereError, isRolesAnywhereError } from "./index.js";
