-- Which buttons of a Rollout can be pressed, by the rules of Argo CD.
local status, canary = obj.status or {}, (obj.spec.strategy or {}).canary or {}
local is_paused = obj.spec.paused == true or #(status.pauseConditions or {}) > 0
local is_done = status.currentPodHash ~= nil and status.currentPodHash == status.stableRS
local is_aborted = status.abort == true
local seen, generation = tonumber(status.observedGeneration), obj.metadata.generation
local is_observed = seen == nil or generation == nil or seen >= generation
local is_at_step = canary.steps ~= nil and (status.currentStepIndex or 0) < #canary.steps
local is_under_way = is_observed and not is_done

local function enabled(is_enabled)
  return { disabled = not is_enabled }
end
return {
  restart = enabled(true),
  resume = enabled(is_paused),
  pause = enabled(not is_paused and not is_aborted),
  abort = enabled(is_under_way and not is_aborted),
  retry = enabled(is_under_way and is_aborted),
  ["promote-full"] = enabled(is_under_way and not status.promoteFull),
  ["skip-current-step"] = enabled(is_under_way and is_at_step and not is_aborted),
}
