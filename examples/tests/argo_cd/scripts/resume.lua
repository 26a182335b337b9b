if obj.status ~= nil then
  obj.status.pauseConditions = nil
end
if obj.spec.paused then
  obj.spec.paused = false
end
return obj
