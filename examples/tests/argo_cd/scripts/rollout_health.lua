-- The health of a Rollout, by the rules of Argo CD: the phase that the controller stores, once it has seen the spec.
local function health(status, message)
  return { status = status, message = message }
end

local behind = "Waiting for rollout spec update to be observed"
local status = obj.status
if status == nil then
  return health("Progressing", behind)
end

-- A generation that is missing, no number, or too high was not written by a controller that can be waited for.
local seen, generation = tonumber(status.observedGeneration), obj.metadata.generation
if seen ~= nil and generation ~= nil and seen < generation then
  return health("Progressing", behind)
end
if obj.spec.workloadRef ~= nil then
  local annotations = obj.metadata.annotations or {}
  local told = tonumber(annotations["rollout.argoproj.io/workload-generation"])
  local observed = tonumber(status.workloadObservedGeneration)
  if told ~= nil and observed ~= nil and told ~= observed then
    return health("Progressing", behind .. " for the reference workload")
  end
end

local names = { Paused = "Suspended" }
if status.phase ~= nil and status.phase ~= "" then
  return health(names[status.phase] or status.phase, status.message)
end

-- Controllers that store no phase.
for _, condition in ipairs(status.conditions or {}) do
  local failed = condition.reason == "RolloutAborted" or condition.reason == "ProgressDeadlineExceeded"
  if condition.type == "InvalidSpec" or failed then
    return health("Degraded", condition.message)
  end
end
if obj.spec.paused or #(status.pauseConditions or {}) > 0 then
  return health("Suspended", "Rollout is paused")
end
local wanted, updated = obj.spec.replicas or 1, status.updatedReplicas or 0
if updated < wanted then
  return health("Progressing", "more replicas need to be updated")
end
if (status.availableReplicas or 0) < updated then
  return health("Progressing", "updated replicas are still becoming available")
end
if status.stableRS == nil or status.stableRS ~= status.currentPodHash then
  return health("Progressing", "waiting for all steps to complete")
end
return health("Healthy", nil)
