// The list of calls: j and k go through it; calls in progress tick.

import "../elements/cc-timer.js";
import { moveFocus, onKey } from "../keys.js";
import { localDates } from "./dates.js";

localDates();

onKey("j", () => moveFocus(".history [data-open]", 1));
onKey("k", () => moveFocus(".history [data-open]", -1));
