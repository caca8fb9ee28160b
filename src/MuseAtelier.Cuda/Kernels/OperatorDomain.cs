using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MuseAtelier.Format;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>The project's custom operators, which graphs of the CUDA lowering use.</summary>
internal static class OperatorDomain
{
    private static readonly Lock Gate = new();
    private static readonly Lazy<nint> Domain = new(() => OrtCustomOperator.CreateDomain(
        OperatorNames.Domain,
        [
            new GroupNormOperator(OperatorNames.GroupNorm, "f16", TensorElementType.Float16),
            new GroupNormOperator(OperatorNames.GroupNorm32, "f32", TensorElementType.Float),
            new GateOperator(OperatorNames.Gate, "f16", TensorElementType.Float16),
            new ResidualLayerNormOperator(OperatorNames.ResidualLayerNorm),
            new BiasedSumOperator(OperatorNames.StreamSum, "stream_sum", TensorElementType.Float16, TensorElementType.Float),
            new BiasedSumOperator(OperatorNames.BiasedSum, "biased_sum_f16", TensorElementType.Float16, TensorElementType.Float16),
            new BiasedSumOperator(OperatorNames.BiasedSum32, "biased_sum_f32", TensorElementType.Float, TensorElementType.Float),
        ]));

    private static bool _isKnown;

    /// <summary>
    /// Registers the domain with ONNX Runtime by creating a session and disposing it at once. The first session with a new domain enters
    /// it in a list of the process, and two such sessions at the same time fail.
    /// </summary>
    /// <param name="graph">Any graph that the CPU can load.</param>
    public static void Announce(ReadOnlyMemory<byte> graph)
    {
        lock (Gate)
        {
            if (_isKnown) return;
            using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, IntraOpNumThreads = 1 };
            AddTo(options);
            using var session = new InferenceSession(graph.ToArray(), options);
            _isKnown = true;
        }
    }

    /// <summary>Makes the operators available to sessions with these options.</summary>
    public static void AddTo(SessionOptions options) => OrtCustomOperator.AddDomain(options, Domain.Value);
}
