import { z } from "zod";
import { listArchives, readManifest } from "../../shared/archive/list.ts";
import { manifestSchema } from "../../shared/archive/types.ts";
import { pageOfList } from "../page.ts";
import { pageOfSchema, pageQuery, route } from "../route.ts";
