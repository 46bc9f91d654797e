package run

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestAClusterIsAskedAgainUntilItAnswers(t *testing.T) {
	asked := 0
	require.NoError(t, (&workers{}).asked(t.Context(), "c", "what it is", func(context.Context) error {
		if asked++; asked < 3 {
			return fmt.Errorf("version: %w", syscall.ECONNRESET)
		}
		return nil
	}))
	assert.Equal(t, 3, asked)
	no := apierrors.NewForbidden(schema.GroupResource{Resource: "nodes"}, "", errors.New("not you"))
	asked = 0
	err := (&workers{}).asked(t.Context(), "c", "what it is", func(context.Context) error { asked++; return no })
	require.ErrorIs(t, err, no)
	assert.ErrorContains(t, err, "cluster c: what it is")
	assert.Equal(t, 1, asked)
}
