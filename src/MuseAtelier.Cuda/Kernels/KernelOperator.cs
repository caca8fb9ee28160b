using Microsoft.ML.OnnxRuntime.Tensors;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>An input or output of an operator.</summary>
internal readonly record struct OperatorTensor(TensorElementType Type, bool IsOptional = false);

/// <summary>An operator that ONNX Runtime lets this project compute.</summary>
internal abstract class KernelOperator(string name, IReadOnlyList<OperatorTensor> inputs, IReadOnlyList<OperatorTensor> outputs)
{
    /// <summary>Its name in the domain.</summary>
    public string Name { get; } = name;

    /// <summary>Whether its kernels run on the card; else on the processor.</summary>
    public virtual bool IsOnCard => true;

    public IReadOnlyList<OperatorTensor> Inputs { get; } = inputs;

    public IReadOnlyList<OperatorTensor> Outputs { get; } = outputs;

    /// <summary>The kernel for one node, whose attributes <paramref name="info"/> holds.</summary>
    public abstract OperatorKernel CreateKernel(nint info);
}

/// <summary>One node's kernel.</summary>
internal abstract class OperatorKernel
{
    /// <summary>Queues the node's work on its stream; allocates nothing managed.</summary>
    public abstract void Compute(nint context);
}
