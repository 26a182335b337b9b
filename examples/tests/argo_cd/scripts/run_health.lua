-- The health of an AnalysisRun, by the rules of Argo CD.
local phase = obj.status and obj.status.phase or ""
local message = obj.status and obj.status.message
local names = {
  [""] = "Progressing",
  Pending = "Progressing",
  Running = "Progressing",
  Successful = "Healthy",
  Failed = "Degraded",
  Error = "Degraded",
  Inconclusive = "Unknown",
}
return { status = names[phase], message = message }
