using Microsoft.ML.OnnxRuntime.Tensors;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>An input or output of an operator.</summary>
/// <param name="Type">Type of its elements.</param>
/// <param name="IsOptional">Whether a node may leave it out.</param>
internal readonly record struct OperatorTensor(TensorElementType Type, bool IsOptional = false);

/// <summary>A custom operator of ONNX Runtime that this project computes.</summary>
/// <param name="name">Its name in the domain.</param>
/// <param name="inputs">Its inputs, in the order of the graph's node.</param>
/// <param name="outputs">Its outputs, in the order of the graph's node.</param>
internal abstract class KernelOperator(string name, IReadOnlyList<OperatorTensor> inputs, IReadOnlyList<OperatorTensor> outputs)
{
    /// <summary>Its name in the domain.</summary>
    public string Name { get; } = name;

    /// <summary>Whether its kernels run on the card; otherwise they run on the CPU.</summary>
    public virtual bool IsOnCard => true;

    /// <summary>Its inputs, in the order of the graph's node.</summary>
    public IReadOnlyList<OperatorTensor> Inputs { get; } = inputs;

    /// <summary>Its outputs, in the order of the graph's node.</summary>
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
