using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>The project's own operators, which graphs of the CUDA lowering use.</summary>
internal static class OperatorDomain
{
    private static readonly Lazy<nint> Domain = new(() => OrtCustomOperator.CreateDomain(Packages.OperatorNames.Domain, [
        new GroupNormOperator(Packages.OperatorNames.GroupNorm, "f16", TensorElementType.Float16),
        new GroupNormOperator(Packages.OperatorNames.GroupNorm32, "f32", TensorElementType.Float),
        new GateOperator(Packages.OperatorNames.Gate, "f16", TensorElementType.Float16),
        new BiasedSumOperator(Packages.OperatorNames.BiasedSum, "f16", TensorElementType.Float16),
        new BiasedSumOperator(Packages.OperatorNames.BiasedSum32, "f32", TensorElementType.Float),
    ]));

    /// <summary>Lets sessions of these options use the operators.</summary>
    public static void AddTo(SessionOptions options) => OrtCustomOperator.AddDomain(options, Domain.Value);
}
