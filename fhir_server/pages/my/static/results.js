// A result is on the page as soon as the laboratory has sent it.

import { follow } from "./news.js";

follow(document.getElementById("record"), location.href, "record");
