package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	kubelet "testbed/pods"
)

// object makes the Pod that an Envoy says it runs in, so that whoever sees the
// Envoy disconnected can ask whether it is gone or only cut off. Nobody plays
// its kubelet: it stays as it is made here until somebody deletes it, and the
// Envoy does not notice.
func (p proxy) object(ctx context.Context, client kubernetes.Interface, ip string) error {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace, Labels: p.Labels, Annotations: map[string]string{kubelet.Proxy: "true"}},
		Spec: corev1.PodSpec{
			NodeName:   "node-0",
			Containers: []corev1.Container{{Name: "istio-proxy", Image: "envoy:testbed"}},
		},
	}
	made, err := client.CoreV1().Pods(p.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("the Pod of %s: %w", p.Name, err)
	}
	now := metav1.Now()
	made.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: &now, HostIP: ip, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: "istio-proxy", Image: "envoy:testbed", ImageID: "sha256:0", Ready: true,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		}},
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		made.Status.Conditions = append(made.Status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	if _, err := client.CoreV1().Pods(p.Namespace).UpdateStatus(ctx, made, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("the Pod of %s: %w", p.Name, err)
	}
	return nil
}
