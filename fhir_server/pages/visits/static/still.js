// Pages that are only looked at: what they show is hidden when the log-in ends.

import { watch } from "./session.js";

watch();
