using Microsoft.ML.OnnxRuntime.Tensors;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>An input or output of an operator.</summary>
internal readonly record struct OperatorTensor(TensorElementType Type, bool IsOptional = false);

/// <summary>A custom operator of ONNX Runtime that this project computes.</summary>
internal abstract class KernelOperator(string name, IReadOnlyList<OperatorTensor> inputs, IReadOnlyList<OperatorTensor> outputs)
{
    /// <summary>Its name in the domain.</summary>
    public string Name { get; } = name;

    /// <summary>Whether its kernels run on the card; otherwise they run on the CPU.</summary>
    public virtual bool IsOnCard => true;

    public IReadOnlyList<OperatorTensor> Inputs { get; } = inputs;

    public IReadOnlyList<OperatorTensor> Outputs { get; } = outputs;

    /// <summary>Creates the kernel of one node, whose attributes <paramref name="info"/> gives.</summary>
    public abstract OperatorKernel CreateKernel(nint info);
}

/// <summary>One node's kernel.</summary>
internal abstract class OperatorKernel
{
    /// <summary>Queues the node's work on its stream. Must not allocate managed memory, because it is called in every step.</summary>
    public abstract void Compute(nint context);
}
